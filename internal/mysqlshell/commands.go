package mysqlshell

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/wirelark/wirelark/internal/mysqlshell/format"
)

// command is one that the shell runs itself.
type command struct {
	name   string
	letter byte // behind a backslash; 0: none
	args   string
	help   string
	local  bool // touches this machine
	text   bool // its argument is the rest of the line, with the delimiter in it
	run    func(s *Shell, ctx context.Context, arg string) error
}

// commands is all of them, in the order of help. It is a function, as help
// stands in it itself.
func commands() []command {
	return []command{
		{name: "help", letter: 'h', args: "[TOPIC]", help: "show this, or what the server knows of a topic", run: (*Shell).help},
		{name: "?", letter: '?', args: "[TOPIC]", help: "the same", run: (*Shell).help},
		{name: "clear", letter: 'c', help: "forget the statement that was begun", run: (*Shell).clear},
		{name: "connect", letter: 'r', args: "[DB]", help: "connect again", run: (*Shell).reconnect},
		{name: "delimiter", letter: 'd', args: "STRING", help: "end statements with STRING", run: (*Shell).delimiter, text: true},
		{name: "edit", letter: 'e', help: "edit the last statement with $EDITOR, and run it", local: true, run: (*Shell).edit},
		{name: "exit", help: "end the session", run: exit},
		{name: "quit", letter: 'q', help: "the same", run: exit},
		{name: "nopager", letter: 'n', help: "show results without a program", run: (*Shell).nopager},
		{name: "notee", letter: 't', help: "end the copy of tee", run: (*Shell).notee},
		{name: "nowarning", letter: 'w', help: "do not show warnings", run: (*Shell).nowarning},
		{name: "pager", letter: 'P', args: "[PROGRAM]", help: "show results with a program", local: true, text: true, run: (*Shell).pager},
		{name: "plan", args: "[analyze] STATEMENT", help: "show how the server would run a statement, as a tree", run: (*Shell).plan},
		{name: "print", letter: 'p', help: "show the last statement", run: (*Shell).print},
		{name: "prompt", letter: 'R', args: "[TEXT]", help: `change the prompt; \d is the database, \x a star inside a transaction`, text: true, run: (*Shell).setPrompt},
		{name: "rehash", letter: '#', help: "forget the names that completion knows", run: (*Shell).rehash},
		{name: "resetconnection", letter: 'x', help: "clean the session", run: (*Shell).reset},
		{name: "source", letter: '.', args: "FILE", help: "run the statements in a file", local: true, text: true, run: (*Shell).source},
		{name: "status", letter: 's', help: "show what is known of the connection", run: (*Shell).status},
		{name: "system", letter: '!', args: "COMMAND", help: "run a command of this machine", local: true, text: true, run: (*Shell).system},
		{name: "tee", letter: 'T', args: "FILE", help: "append a copy of everything to a file", local: true, text: true, run: (*Shell).tee},
		{name: "use", letter: 'u', args: "DB", help: "take another database", run: (*Shell).use},
		{name: "warnings", letter: 'W', help: "show warnings after each statement", run: (*Shell).showWarnings},
	}
}

// command finds the command that text begins with: its name as the first word,
// or a backslash and its letter.
func (s *Shell) command(text string) (c *command, arg string, ok bool) {
	text = strings.TrimSpace(text)
	if len(text) >= 2 && text[0] == '\\' {
		for _, c := range commands() {
			if c.letter == text[1] {
				return &c, strings.TrimSpace(text[2:]), true
			}
		}
		return nil, "", false
	}
	word, arg, _ := strings.Cut(text, " ")
	if w, a, tab := strings.Cut(word, "\t"); tab {
		word, arg = w, a+" "+arg
	}
	for _, c := range commands() {
		if strings.EqualFold(c.name, word) {
			return &c, strings.TrimSpace(arg), true
		}
	}
	return nil, "", false
}

// lineCommand is command for a line at the beginning of a statement. A line in
// which statements follow the command is none: it is cut into them first.
func (s *Shell) lineCommand(line string) (c *command, arg string, ok bool) {
	line = strings.TrimSpace(line)
	c, arg, ok = s.command(line)
	if !ok {
		return nil, "", false
	}
	delimiter := s.cut.Delimiter()
	if c.name == "delimiter" && line[0] != '\\' {
		return nil, "", false // the cutter takes it
	}
	if c.text {
		return c, strings.TrimSpace(strings.TrimSuffix(arg, delimiter)), true
	}
	if i := strings.Index(arg, delimiter); i >= 0 {
		if strings.TrimSpace(arg[i+len(delimiter):]) != "" {
			return nil, "", false
		}
		return c, strings.TrimSpace(arg[:i]), true
	}
	if name := strings.TrimSuffix(line, delimiter); name != line {
		c, arg, ok = s.command(name)
		return c, arg, ok
	}
	return c, arg, true
}

func (s *Shell) run(ctx context.Context, c *command, arg string) error {
	if c.local && !s.local() {
		return fmt.Errorf("%s: %w", c.name, ErrLocal)
	}
	return c.run(s, ctx, arg)
}

func exit(*Shell, context.Context, string) error { return ErrExit }

// help lists the commands; help about anything else is the server's.
func (s *Shell) help(ctx context.Context, topic string) error {
	if topic != "" && !strings.EqualFold(topic, "commands") {
		return s.query(ctx, "HELP "+quote(strings.Trim(topic, `'"`)), false)
	}
	var b strings.Builder
	for _, c := range commands() {
		letter := "  "
		if c.letter != 0 {
			letter = `\` + string(c.letter)
		}
		if c.local && !s.local() {
			continue
		}
		fmt.Fprintf(&b, "%-28s %s  %s\n", strings.TrimSpace(c.name+" "+c.args), letter, c.help)
	}
	b.WriteString(`
A statement ends with the delimiter, or with \g; with \G its result is shown
vertically. Ctrl-C stops a statement on the server, Ctrl-C again cuts the
connection. What the server knows: help contents
`)
	s.out.say(b.String())
	return nil
}

func (s *Shell) clear(context.Context, string) error {
	s.cut.Reset()
	s.typed = nil
	return nil
}

// SetDelimiter makes text end statements.
func (s *Shell) SetDelimiter(text string) error { return s.delimiter(context.Background(), text) }

// SetPager sends results to a program; it is started with Config.Page.
func (s *Shell) SetPager(program string) { s.out.pager = program }

// Tee appends a copy of everything to a file; "" ends it.
func (s *Shell) Tee(name string) error { return s.out.copyTo(name) }

func (s *Shell) delimiter(_ context.Context, arg string) error {
	arg, _, _ = strings.Cut(arg, " ")
	if arg == "" || strings.Contains(arg, `\`) {
		return &UsageError{"delimiter needs characters, and no backslash"}
	}
	s.cut.Feed([]byte("delimiter " + arg + "\n"))
	_, _, err := s.cut.Next()
	return err
}

// UsageError is about a command that was typed wrongly.
type UsageError struct{ Text string }

func (e *UsageError) Error() string { return e.Text }

func (s *Shell) edit(ctx context.Context, _ string) error {
	text := string(s.typed)
	if strings.TrimSpace(text) == "" {
		text = s.last
	}
	if s.cfg.Edit == nil {
		return &UsageError{"there is no editor"}
	}
	text, err := s.cfg.Edit(ctx, text)
	if err != nil {
		return err
	}
	s.cut.Reset()
	s.typed = nil
	text = strings.TrimSpace(text)
	if text == "" {
		return nil
	}
	s.out.say(format.Harmless(text) + "\n")
	s.depth++
	defer func() { s.depth-- }()
	return s.Script(ctx, strings.NewReader(text))
}

func (s *Shell) pager(_ context.Context, arg string) error {
	if arg == "" {
		arg = "less -SFX"
	}
	s.out.pager = arg
	s.sayf("results go to %s", arg)
	return nil
}

func (s *Shell) nopager(context.Context, string) error {
	s.out.pager = ""
	return nil
}

func (s *Shell) tee(_ context.Context, arg string) error {
	if arg == "" {
		return &UsageError{"tee needs the name of a file"}
	}
	if err := s.out.copyTo(arg); err != nil {
		return err
	}
	s.sayf("everything is also written to %s", arg)
	return nil
}

func (s *Shell) notee(context.Context, string) error { return s.out.copyTo("") }

func (s *Shell) showWarnings(context.Context, string) error {
	s.warnings = true
	return nil
}

func (s *Shell) nowarning(context.Context, string) error {
	s.warnings = false
	return nil
}

func (s *Shell) print(context.Context, string) error {
	text := string(s.typed)
	if strings.TrimSpace(text) == "" {
		text = s.last
	}
	s.out.say(format.Harmless(strings.TrimSpace(text)) + "\n")
	return nil
}

func (s *Shell) setPrompt(_ context.Context, arg string) error {
	s.prompt = strings.Trim(arg, `"'`)
	if arg == "" {
		s.prompt = s.cfg.Prompt
	}
	if s.prompt == "" {
		s.prompt = DefaultPrompt
	}
	return nil
}

func (s *Shell) rehash(context.Context, string) error {
	s.names.forget()
	return nil
}

// maxDepth bounds files that source each other.
const maxDepth = 20

func (s *Shell) source(ctx context.Context, arg string) error {
	if arg == "" {
		return &UsageError{"source needs the name of a file"}
	}
	if s.depth >= maxDepth {
		return &UsageError{fmt.Sprintf("files source each other more than %d deep", maxDepth)}
	}
	f, err := os.Open(arg)
	if err != nil {
		return err
	}
	defer f.Close()
	s.depth++
	sandbox := s.sandbox
	defer func() { s.depth--; s.sandbox = sandbox }() // what a file switched off holds for that file
	return s.Script(ctx, f)
}

func (s *Shell) system(ctx context.Context, arg string) error {
	if arg == "" {
		return &UsageError{"system needs a command"}
	}
	if s.cfg.System == nil {
		return &UsageError{"there is no way to run a command"}
	}
	return s.cfg.System(ctx, arg)
}

// commandNames are the names that completion offers at the beginning of a line.
func commandNames() []string {
	var all []string
	for _, c := range commands() {
		all = append(all, c.name)
	}
	slices.Sort(all)
	return all
}
