package main

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"

	"rondo/check/target"
	"rondo/spec"
)

// accessFlags are the options that say how to reach a running server.
func accessFlags(fs *flag.FlagSet, a *target.Access) {
	plainFlags(fs, a)
	fs.BoolVar(&a.TLS, "tls", false, "connect with TLS")
	fs.StringVar(&a.CACert, "cacert", "", "`FILE` of certificates to trust, in PEM (those of the system)")
	fs.StringVar(&a.Cert, "cert", "", "`FILE` of our own certificate, with -key")
	fs.StringVar(&a.Key, "key", "", "`FILE` of its key")
	fs.BoolVar(&a.Insecure, "insecure", false, "trust any certificate")
	fs.IntVar(&a.DB, "db", 0, "`N` of the database to work in; cases about several databases are skipped")
}

// plainFlags are those of accessFlags that need neither TLS nor a database of their own.
func plainFlags(fs *flag.FlagSet, a *target.Access) {
	fs.StringVar(&a.Addr, "addr", "", "`HOST:PORT` or unix:PATH of a running server")
	fs.Func("unix", "`PATH` of a running server's unix socket: the same as -addr unix:PATH", func(path string) error {
		a.Addr = "unix:" + path
		return nil
	})
	fs.StringVar(&a.User, "user", "", "`NAME` to sign in as")
	fs.StringVar(&a.Pass, "pass", "", "`PASSWORD` to sign in with; better in the variable "+target.PassVariable)
}

// givenIn are the flags that the command line has.
func givenIn(fs *flag.FlagSet) map[string]bool {
	given := map[string]bool{}
	fs.Visit(func(f *flag.Flag) { given[f.Name] = true })
	return given
}

// settleAccess takes the password from the environment and refuses what cannot be meant.
func settleAccess(a *target.Access, given map[string]bool) error {
	if given["addr"] && given["unix"] {
		return usagef("-addr and -unix exclude each other")
	}
	if a.Addr == "" && (!given["target"] || given["addr"] || given["unix"]) {
		for _, name := range []string{"addr", "unix", "user", "pass", "tls", "cacert", "cert", "key", "insecure", "db"} {
			if given[name] {
				return usagef("-%s needs a running server, named by -addr, -unix or -target", name)
			}
		}
		return nil
	}
	a.Pass = cmp.Or(a.Pass, os.Getenv(target.PassVariable))
	return nil
}

// asFlag is the option that says which server the target has to be like.
func asFlag(fs *flag.FlagSet, as *string) {
	fs.Func("as", "`BASELINE` to hold the server to, where versions differ: "+strings.Join(spec.Baselines, ",\n")+
		" (default "+spec.Baselines[0]+")", func(name string) error {
		if !slices.Contains(spec.Baselines, name) {
			return fmt.Errorf("there is no baseline %q, but %s", name, strings.Join(spec.Baselines, ", "))
		}
		if *as = name; name == spec.Baselines[0] {
			*as = ""
		}
		return nil
	})
}
