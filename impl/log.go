package impl

import (
	"context"
	"io"
	"log/slog"
)

// The log: slog, with Redis' four levels. Nothing on the way of a command logs.

const (
	levelDebug   = slog.LevelDebug
	levelVerbose = slog.LevelInfo - 2
	levelNotice  = slog.LevelInfo
	levelWarning = slog.LevelWarn
)

var levels = map[string]slog.Level{
	"debug": levelDebug, "verbose": levelVerbose, "notice": levelNotice, "warning": levelWarning,
}

type logger struct {
	out   *slog.Logger
	level *slog.LevelVar
}

func newLogger(w io.Writer, level string) logger {
	if w == nil {
		w = io.Discard
	}
	l := logger{level: new(slog.LevelVar)}
	l.setLevel(level)
	l.out = slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{
		Level: l.level, ReplaceAttr: redisLevel,
	}))
	return l
}

// redisLevel writes a level by Redis' name.
func redisLevel(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.LevelKey {
		for name, level := range levels {
			if a.Value.Any() == level {
				return slog.String(a.Key, name)
			}
		}
	}
	return a
}

func (l logger) setLevel(name string) { l.level.Set(levels[name]) }

func (l logger) verbose(msg string, args ...any) { l.log(levelVerbose, msg, args) }
func (l logger) notice(msg string, args ...any)  { l.log(levelNotice, msg, args) }
func (l logger) warning(msg string, args ...any) { l.log(levelWarning, msg, args) }

func (l logger) log(level slog.Level, msg string, args []any) {
	l.out.Log(context.Background(), level, msg, args...)
}
