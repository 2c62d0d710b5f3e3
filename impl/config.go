package impl

// Config is what an operator may decide, named as Redis names it.
type Config struct{}

// DefaultConfig is what holds where nothing is said.
func DefaultConfig() Config { return Config{} }

// Set changes one option; Redis' name and syntax.
func (c *Config) Set(name, value string) error { panic("todo") }

// ParseFile reads a configuration file in Redis' syntax; an error names the line.
func (c *Config) ParseFile(path string) error { panic("todo") }
