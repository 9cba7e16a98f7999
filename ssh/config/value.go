package config

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A check reads the words of a line and says what is wrong with them: "a" or
// "one of" something that is expected. What it leaves in l.more is too much.
type check func(l *line) error

// anything takes one word or more.
func anything(l *line) error {
	if len(l.more) == 0 {
		return errMissing
	}
	l.more = nil
	return nil
}

// rest takes the line as it is.
func rest(l *line) error {
	l.more = nil
	if l.raw() == "" {
		return errMissing
	}
	return nil
}

var errMissing = errors.New("an argument")

// word takes one word that is not empty.
func word(l *line) error {
	if w, ok := l.next(); !ok || w == "" {
		return errMissing
	}
	return nil
}

// names takes one or more words, none of them empty.
func names(l *line) error {
	for _, w := range l.more {
		if w == "" {
			return errMissing
		}
	}
	return anything(l)
}

// choice takes one of several words, whatever their case.
func choice(list ...string) check {
	return func(l *line) error {
		w, ok := l.next()
		if !ok || w == "" {
			return errMissing
		}
		if !slices.ContainsFunc(list, func(s string) bool { return strings.EqualFold(s, w) }) {
			return fmt.Errorf("one of %s", strings.Join(list, ", "))
		}
		return nil
	}
}

var flag = choice("yes", "true", "no", "false")

func isYes(s string) bool { return strings.EqualFold(s, "yes") || strings.EqualFold(s, "true") }

// number takes a number that an int32 holds.
func number(l *line) error {
	w, _ := l.next()
	if n, err := strconv.ParseInt(w, 10, 32); err != nil || n < 0 {
		return errors.New("a number")
	}
	return nil
}

func port(l *line) error {
	w, _ := l.next()
	_, err := parsePort(w)
	return err
}

// parsePort reads a port, or the name of a service that the system knows.
func parsePort(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil && s != "" {
		n, err = net.DefaultResolver.LookupPort(context.Background(), "tcp", s) // reads a file
	}
	if err != nil || n < 1 || n > 65535 {
		return 0, errors.New("a port from 1 to 65535")
	}
	return n, nil
}

func interval(l *line) error {
	w, _ := l.next()
	if w == "none" {
		return nil
	}
	_, err := parseTime(w)
	return err
}

var errTime = errors.New("a time such as 30, 10m or 1h30m")

// parseTime reads seconds, or parts such as 1h30m (sshd_config(5), TIME
// FORMATS).
func parseTime(s string) (time.Duration, error) {
	units := map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}
	var seconds int64
	if s == "" {
		return 0, errTime
	}
	for s != "" {
		i := 0
		for i < len(s) && s[i] >= '0' && s[i] <= '9' {
			i++
		}
		unit := time.Second
		end := i
		if i < len(s) {
			unit = units[s[i]|0x20]
			end = i + 1
		}
		n, err := strconv.ParseInt(s[:i], 10, 32)
		if err != nil || unit == 0 {
			return 0, errTime
		}
		if seconds += n * int64(unit/time.Second); seconds > math.MaxInt32 {
			return 0, errors.New("a shorter time")
		}
		s = s[end:]
	}
	return time.Duration(seconds) * time.Second, nil
}

// rekeyLimit takes a size and possibly a time.
func rekeyLimit(l *line) error {
	size, _ := l.next()
	_, err := parseSize(size)
	if err != nil {
		return err
	}
	if w, ok := l.next(); ok && w != "none" {
		_, err = parseTime(w)
	}
	return err
}

// parseSize reads the first word of RekeyLimit; "default" is 0.
func parseSize(s string) (uint64, error) {
	if s == "default" {
		return 0, nil
	}
	digits := strings.TrimRight(s, "kKmMgG")
	shift := 0
	if len(s) > len(digits) {
		shift = map[byte]int{'k': 10, 'm': 20, 'g': 30}[s[len(digits)]|0x20]
	}
	f, err := strconv.ParseFloat(digits, 64)
	if err != nil || len(s)-len(digits) > 1 || f < 0 || strings.Trim(digits, "0123456789.") != "" {
		return 0, errors.New("a number of bytes, possibly with K, M or G, or default")
	}
	if f *= float64(uint64(1) << shift); f >= 1<<62 {
		return 0, errors.New("a smaller number of bytes")
	}
	if n := uint64(f); n == 0 || n >= 16 {
		return n, nil
	}
	return 0, errors.New("at least 16 bytes")
}

func escape(l *line) error {
	w, _ := l.next()
	_, err := parseEscape(w)
	return err
}

// parseEscape reads an escape character: a byte, ^ and a letter, or none.
func parseEscape(s string) (int, error) {
	switch {
	case s == "none":
		return -1, nil
	case len(s) == 1:
		return int(s[0]), nil
	case len(s) == 2 && s[0] == '^' && s[1] >= 64 && s[1] < 128:
		return int(s[1] & 31), nil
	}
	return 0, errors.New("one character, ^ and a letter, or none")
}

func setEnv(l *line) error {
	for _, w := range l.more {
		if i := strings.IndexByte(w, '='); i < 1 {
			return errors.New("NAME=value")
		}
	}
	return anything(l)
}

// forwarding takes where to listen and where to connect to.
func forwarding(l *line) error {
	listen, _ := l.next()
	if listen == "" {
		return errMissing
	}
	if connect, _ := l.next(); connect == "" {
		return errors.New("where to listen, and where to connect to")
	}
	return nil
}

// remoteForwarding may lack where to connect to.
func remoteForwarding(l *line) error {
	err := word(l)
	l.next()
	return err
}
