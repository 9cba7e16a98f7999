package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/wirelark/wirelark/internal/mysqlshell"
	"github.com/wirelark/wirelark/mysql/options"
)

// mysqlSettings is what the options say about the shell.
type mysqlSettings struct {
	cfg       mysqlshell.Config
	format    string // as asked for
	execute   []string
	watch     string // how long until it runs again
	silent    int
	noNames   bool
	hex       *bool
	turn      bool
	safe      bool
	spaces    bool
	pager     string
	tee       string
	delimiter string
}

// yes reads a switch.
func yes(o options.Option) bool {
	switch strings.ToLower(string(o.Value)) {
	case "0", "off", "false", "no":
		return !o.Given
	}
	return true
}

// apply takes one option.
func (m *mysqlSettings) apply(o options.Option) (known bool) {
	switch o.Name {
	case "batch", "table", "vertical", "html", "xml", "csv", "json", "ndjson", "markdown":
		if yes(o) {
			m.format = o.Name
		}
	case "insert":
		m.format, m.cfg.Options.Table = "insert", string(o.Value)
	case "execute":
		m.execute = append(m.execute, string(o.Value))
	case "skip-column-names":
		m.noNames = yes(o)
	case "column-names":
		m.noNames = !yes(o)
	case "raw":
		m.cfg.Options.Raw = yes(o)
	case "silent":
		m.silent++
	case "force":
		m.cfg.Force = yes(o)
	case "quick":
		m.cfg.Options.Quick = yes(o)
	case "auto-vertical-output":
		m.turn = yes(o)
	case "binary-as-hex":
		on := yes(o)
		m.hex = &on
	case "skip-binary-as-hex":
		off := false
		m.hex = &off
	case "show-warnings":
		m.cfg.Warnings = yes(o)
	case "safe-updates", "i-am-a-dummy":
		m.safe = yes(o)
	case "no-auto-rehash", "skip-auto-rehash":
		m.cfg.Names = false
	case "auto-rehash":
		m.cfg.Names = yes(o)
	case "line-numbers":
		m.cfg.LineNumbers = yes(o)
	case "skip-line-numbers":
		m.cfg.LineNumbers = false
	default:
		return m.applyMore(o)
	}
	return true
}

func (m *mysqlSettings) applyMore(o options.Option) (known bool) {
	switch o.Name {
	case "prompt":
		m.cfg.Prompt = string(o.Value)
	case "pager":
		if m.pager = string(o.Value); !o.Given {
			m.pager = "less -SFX"
		}
	case "tee":
		m.tee = string(o.Value)
	case "watch":
		m.watch = string(o.Value)
	case "delimiter":
		m.delimiter = string(o.Value)
	case "text-protocol":
		m.cfg.Text = yes(o)
	case "commands":
		m.cfg.LocalCommands = yes(o)
	case "ignore-spaces":
		m.spaces = yes(o)
	case "unbuffered", "named-commands", "comments", "skip-comments", "no-beep", "reconnect", "skip-reconnect", "sigint-ignore", "default-character-set":
	default:
		return false
	}
	return true
}

// quickBytes is what a table collects with --quick before it is written.
const quickBytes = 64 << 10

// decide takes what depends on where input comes from and output goes.
func (m *mysqlSettings) decide(a *app) (interactive bool) {
	_, in := terminal(a.Stdin)
	fd, out := terminal(a.Stdout)
	interactive = in && out && len(m.execute) == 0
	if !in || !out || m.format == "batch" {
		m.silent++ // as mysql counts
	}
	o := &m.cfg.Options
	o.NoNames = m.noNames || m.silent > 1
	o.Terminal, o.Hex = out, out
	if o.Quick {
		o.TableBytes = quickBytes
	}
	if m.hex != nil {
		o.Hex = *m.hex
	}
	switch {
	case m.format != "":
		m.cfg.Format = m.format
	case a.verbose >= 3 || m.silent == 0:
		m.cfg.Format = "table"
	default:
		m.cfg.Format = "batch"
	}
	if out && m.turn {
		if columns, _, err := term.GetSize(fd); err == nil {
			o.Columns = columns
		}
	}
	m.cfg.Interactive = interactive
	m.cfg.Echo = a.verbose > 0
	m.cfg.Footers = a.verbose > 1 || out && m.silent == 0 && !a.quiet
	return interactive
}

func (a *app) runMySQL(cmd *cobra.Command, args []string, r *mysqlRun) (err error) {
	s, err := a.openSeeing(cmd, &r.see)
	if err != nil {
		return err
	}
	defer s.close(&err)
	source := ""
	if len(args) > 0 {
		source = args[0]
	}
	ctx := cmd.Context()
	t, err := a.mysqlTarget(ctx, cmd, r, source, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.close()) }()
	m := &mysqlSettings{cfg: mysqlshell.Config{Names: true, LineNumbers: true}}
	for _, o := range t.rest {
		if !m.apply(o) && !o.Loose {
			a.debugf("%s is not known here", o)
		}
	}
	interactive := m.decide(a)
	if m.watch != "" && len(m.execute) == 0 {
		return usagef(cmd, "--watch needs statements: -e SQL")
	}
	pause, err := watchPause(m.watch)
	if err != nil {
		return usagef(cmd, "--watch %s: give seconds, or a time such as 500ms", m.watch)
	}
	m.cfg.Connect, m.cfg.Facts, m.cfg.LocalInfile = t.connect, t.facts, t.client.LocalInfile
	m.cfg.Out, m.cfg.Err = a.Stdout, a.Stderr
	m.cfg.Page, m.cfg.System = a.startPager, a.runCommand
	t.client.Interactive, t.client.ExpiredPassword = interactive, interactive
	t.client.IgnoreSpace = m.spaces
	if m.safe {
		t.client.Init = append(t.client.Init, "SET sql_safe_updates=1, sql_select_limit=1000, max_join_size=1000000")
	}
	if interactive {
		return a.mysqlInteractive(ctx, m)
	}
	return a.mysqlScript(ctx, m, pause)
}

// watchPause reads the time of --watch; "" is 0.
func watchPause(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		d, err = time.ParseDuration(text + "s")
	}
	if err == nil && d <= 0 {
		err = strconv.ErrRange
	}
	return d, err
}

// mysqlScript runs the statements of -e, or of standard input; with a pause
// again and again.
func (a *app) mysqlScript(ctx context.Context, m *mysqlSettings, pause time.Duration) (err error) {
	sh := mysqlshell.New(m.cfg)
	defer func() { err = errors.Join(err, sh.Close()) }()
	if err := m.begin(sh); err != nil {
		return err
	}
	if err := sh.Connect(ctx); err != nil {
		return err
	}
	if len(m.execute) == 0 {
		return sh.Script(ctx, a.Stdin)
	}
	text := strings.Join(m.execute, "\n")
	for {
		if pause > 0 && m.cfg.Options.Terminal {
			fmt.Fprintf(a.Stdout, "\x1b[H\x1b[2J%s, every %v\n", time.Now().Format(time.DateTime), pause)
		}
		if err := sh.Script(ctx, strings.NewReader(text)); err != nil || pause == 0 {
			return err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// begin starts what the options ask for.
func (m *mysqlSettings) begin(sh *mysqlshell.Shell) error {
	if m.delimiter != "" {
		if err := sh.SetDelimiter(m.delimiter); err != nil {
			return err
		}
	}
	if m.pager != "" && m.cfg.Page != nil {
		sh.SetPager(m.pager)
	}
	return sh.Tee(m.tee)
}

func (a *app) mysqlInteractive(ctx context.Context, m *mysqlSettings) (err error) {
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt)
	defer signal.Stop(interrupts)
	ctx, stop := a.untilTerm(ctx)
	defer stop()

	m.cfg.Interrupts = interrupts
	m.cfg.LocalCommands = true
	var editor *lineEditor
	m.cfg.Edit = func(ctx context.Context, text string) (changed string, err error) {
		err = editor.aside(func() (err error) { changed, err = a.editText(ctx, text); return err })
		return changed, err
	}
	m.cfg.System = func(ctx context.Context, command string) error {
		return editor.aside(func() error { return a.runCommand(ctx, command) })
	}
	sh := mysqlshell.New(m.cfg)
	defer func() { err = errors.Join(err, sh.Close()) }()
	if err := m.begin(sh); err != nil {
		return err
	}
	if err := sh.Connect(ctx); err != nil {
		return err
	}
	editor = a.newEditor(sh, interrupts)
	defer editor.close()
	return sh.Interactive(ctx, editor)
}
