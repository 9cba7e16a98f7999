package config

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// match evaluates the criteria of a Match line. All of them are read, so that
// mistakes are found wherever they stand; programs run only while the line may
// still apply, and not where it cannot (never).
func (r *reader) match(l *line, never bool) (bool, error) {
	result := true
	count := 0
	for {
		text, ok := l.next()
		if !ok {
			break
		}
		criterion, negated := strings.CutPrefix(text, "!")
		criterion, value, hasValue := strings.Cut(criterion, "=")
		criterion = strings.ToLower(criterion)
		if criterion == "all" {
			if count > 1 || len(l.more) > 0 || hasValue {
				return false, errors.New("all stands alone")
			}
			return result && !negated, nil
		}
		count++
		switch criterion {
		case "final":
			r.wantFinal = r.wantFinal || !negated
			result = result && r.final != negated
			continue
		case "canonical": // names are not made canonical here
			result = result && negated
			continue
		}
		if !slices.Contains(criteria, criterion) {
			return false, fmt.Errorf("there is no criterion %q", criterion)
		}
		if !hasValue {
			if value, ok = l.next(); !ok || value == "" && criterion != "tagged" && criterion != "command" {
				return false, fmt.Errorf("%s needs a value", criterion)
			}
		}
		if criterion == "exec" && (never || !result) {
			continue
		}
		matched, err := r.criterion(criterion, value)
		if err != nil {
			return false, err
		}
		if matched == negated {
			result = false
		}
	}
	if count == 0 {
		return false, errors.New("a criterion is needed")
	}
	return result, nil
}

// criteria are those that have a value.
var criteria = []string{"host", "originalhost", "user", "localuser", "exec", "tagged", "version", "command", "sessiontype", "localnetwork"}

func (r *reader) criterion(name, value string) (bool, error) {
	switch name {
	case "host":
		return matchList(strings.ToLower(r.hostName()), strings.ToLower(value)), nil
	case "originalhost":
		return matchList(strings.ToLower(r.query.Host), strings.ToLower(value)), nil
	case "user":
		return matchList(r.user(), value), nil
	case "localuser":
		return matchList(r.source.Local.User, value), nil
	case "tagged":
		return matchWord(r.first("tag"), value), nil
	case "version":
		return matchList(Version, value), nil
	case "command":
		return matchWord(r.query.Command, value), nil
	case "sessiontype":
		return matchList(r.session(), value), nil
	case "localnetwork":
		return r.localNetwork(value)
	}
	if r.source.Exec == nil {
		return false, fmt.Errorf("exec %q: %w", value, ErrExec)
	}
	command, err := r.expand(value, tokensAll)
	if err != nil {
		return false, err
	}
	ok, err := r.source.Exec(r.ctx, command)
	if err != nil {
		return false, fmt.Errorf("exec %q: %w", command, err)
	}
	return ok, nil
}

// matchWord is matchList where the empty list matches the empty word.
func matchWord(s, list string) bool {
	if s == "" || list == "" {
		return s == list
	}
	return matchList(s, list)
}

// hostName is the name to connect to, as far as it is known.
func (r *reader) hostName() string {
	if r.final {
		return r.host
	}
	if name := r.first("hostname"); name != "" {
		if expanded, err := expandTokens(name, map[byte]string{'h': r.query.Host}); err == nil {
			return expanded
		}
	}
	return r.host
}

// user is whom to log in as, as far as it is known.
func (r *reader) user() string {
	if u := r.first("user"); u != "" {
		return u
	}
	return r.source.Local.User
}

func (r *reader) session() string {
	switch {
	case r.query.Session != "":
		return r.query.Session
	case r.query.Command != "":
		return "exec"
	}
	return "shell"
}

// first is the first word of the setting that holds; "": there is none.
func (r *reader) first(name string) string {
	if s := r.setting(name); s != nil && len(s.Args) > 0 {
		return s.Args[0]
	}
	return ""
}

// setting is the one that holds; nil: there is none.
func (r *reader) setting(name string) *Setting {
	if all := r.set[r.keywords[name]]; len(all) > 0 {
		return &all[0]
	}
	return nil
}

// localNetwork reports whether an address of this machine is in one of the
// networks.
func (r *reader) localNetwork(list string) (bool, error) {
	found := false
	for _, text := range strings.Split(list, ",") {
		text, negated := strings.CutPrefix(text, "!")
		network, err := netip.ParsePrefix(text)
		if err != nil {
			a, addrErr := netip.ParseAddr(text)
			if addrErr != nil {
				return false, fmt.Errorf("localnetwork %q is no network such as 192.0.2.0/24", text)
			}
			network = netip.PrefixFrom(a, a.BitLen())
		}
		if network != network.Masked() {
			return false, fmt.Errorf("localnetwork %q has bits behind its prefix", text)
		}
		if slices.ContainsFunc(r.source.Local.Addresses, func(a netip.Addr) bool { return network.Contains(a.Unmap().WithZone("")) }) {
			if negated {
				return false, nil
			}
			found = true
		}
	}
	return found, nil
}
