package auth

import (
	"slices"
)

// check says why the server may not choose a method; nil: it may. This is the
// only place that decides.
func (e *Exchange) check(plugin string) error {
	refuse := func(reason string) error { return &RefusedError{plugin, reason} }
	if plugin == Old {
		return refuse("this method of servers before 4.1 protects nothing")
	}
	if _, own := e.cfg.Methods[plugin]; !own {
		switch {
		case e.make(plugin) == nil:
			return refuse("the method is not known here")
		case e.cfg.Plugins != nil && !slices.Contains(e.cfg.Plugins, plugin):
			return refuse("the method is not allowed")
		case plugin == Clear && e.cfg.Plugins == nil:
			return refuse("it would get the password itself, which has not been allowed")
		case sendsPassword(plugin) && !e.secure():
			return refuse("it would get the password itself, over a connection that is not encrypted")
		}
	}
	if e.cfg.Proof {
		switch _, can := e.make(plugin).(Prover); {
		case !can:
			return refuse("its certificate is not trusted, and with this method it cannot prove itself")
		case e.password() == "":
			return refuse("its certificate is not trusted, and without a password it cannot prove itself")
		}
	}
	return nil
}

// sendsPassword reports whether all that a method does is to send the password.
func sendsPassword(plugin string) bool { return plugin == Clear || plugin == Dialog }

// preferred returns the method to begin with when the server's choice is out of
// the question; empty: there is none.
func (e *Exchange) preferred() string {
	for _, plugin := range append([]string{CachingSHA2, Native}, e.cfg.Plugins...) {
		if e.check(plugin) == nil {
			return plugin
		}
	}
	return ""
}

// make returns a new method; nil: it is not known.
func (e *Exchange) make(plugin string) Method {
	if f := e.cfg.Methods[plugin]; f != nil {
		return f()
	}
	switch plugin {
	case Native:
		return native{}
	case CachingSHA2:
		return new(cachingSHA2)
	case SHA256:
		return new(sha256Password)
	case Clear:
		return clearPassword{}
	case Ed25519:
		return ed25519Method{}
	case Parsec:
		return new(parsec)
	case Dialog:
		return new(dialog)
	}
	return nil
}
