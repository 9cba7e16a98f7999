package mysql

import (
	"context"
	"errors"
	"log/slog"
	"strings"
)

// A Logger is told of what went wrong in the background.
type Logger interface {
	Print(v ...any)
}

// NopLogger is a Logger that says nothing.
type NopLogger struct{}

// Print says nothing.
func (*NopLogger) Print(...any) {}

// SetLogger sets the logger of configurations that name none. Until it is
// called, that is a NopLogger.
func SetLogger(logger Logger) error {
	if logger == nil {
		return errors.New("logger is nil")
	}
	loggers.set("", logger)
	return nil
}

func defaultLogger() Logger {
	if l, ok := loggers.get(""); ok {
		return l
	}
	return &NopLogger{}
}

// logHandler hands to a Logger what the client logs.
type logHandler struct{ to Logger }

// Enabled implements [slog.Handler].
func (logHandler) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelWarn }

// Handle implements [slog.Handler].
func (h logHandler) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	b.WriteString(r.Message)
	r.Attrs(func(a slog.Attr) bool {
		b.WriteString(" " + a.String())
		return true
	})
	h.to.Print(b.String())
	return nil
}

// WithAttrs implements [slog.Handler]. The client makes no use of it.
func (h logHandler) WithAttrs([]slog.Attr) slog.Handler { return h }

// WithGroup implements [slog.Handler]. The client makes no use of it.
func (h logHandler) WithGroup(string) slog.Handler { return h }
