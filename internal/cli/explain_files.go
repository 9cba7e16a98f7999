package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"syscall"

	"github.com/wirelark/wirelark/capture"
	"github.com/wirelark/wirelark/internal/shell"
	"github.com/wirelark/wirelark/mysql/engine"
	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/sftp/sftpclient"
	"github.com/wirelark/wirelark/sftp/transfer"
	"github.com/wirelark/wirelark/ssh/knownhosts"
)

// explainTransfer says what of a copy was not done, and how to go on.
func explainTransfer(err error) *Error {
	var te *transfer.Error
	if !errors.As(err, &te) || len(te.Failures) == 0 {
		return nil
	}
	copied := plural(int(te.Done.Files), "file") + " copied"
	resume := "run the same command again with --resume: it continues files that are there in part"
	if errors.Is(err, context.Canceled) {
		return &Error{Code: exitInterrupted, What: "interrupted", How: []string{copied}, Next: []string{resume}}
	}
	first := te.Failures[0]
	if te.Count == 1 && !te.Partly() {
		e := *explain(first.Err)
		if errors.Is(first.Err, transfer.ErrIsDirectory) {
			e.What, e.Next = fmt.Sprintf("%s is a directory", first.Path), []string{"copy directories with everything in them: -r"}
		}
		return &e
	}
	e := &Error{Code: exitPartly, What: fmt.Sprintf("%s not copied, %d copied", plural(int(te.Count), "file"), te.Done.Files)}
	if !te.Partly() {
		e.Code = exitRemote
	}
	for i, f := range te.Failures {
		if i == 10 {
			e.How = append(e.How, fmt.Sprintf("and %d more", te.Count-10))
			break
		}
		e.How = append(e.How, f.Err.Error())
	}
	e.Next = []string{"mend what is wrong, then " + resume}
	return e
}

func explainFiles(err error) *Error {
	var se *sftp.StatusError
	var ue *sftpclient.UnsupportedError
	var pe *fs.PathError
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		whose := "this machine's"
		if errors.As(err, &se) {
			whose = "the server's"
		}
		return &Error{
			Code: exitRemote, What: err.Error(), How: []string{whose + " file system is full"},
			Next: []string{"make room, then run the same command again; cp --resume continues files that are there in part"},
		}
	case errors.As(err, &se):
		return &Error{Code: exitRemote, What: err.Error(), How: []string{fmt.Sprintf("the server answered %v", se.Code)}, Next: nextAfter(se.Code)}
	case errors.As(err, &ue):
		return &Error{
			Code: exitRemote, What: err.Error(), How: []string{"the server did not announce it at the start of the session"},
			Next: []string{"do without, or use another server"},
		}
	case errors.Is(err, capture.ErrFormat):
		return &Error{Code: exitProtocol, What: err.Error(), Next: []string{"give a pcap or pcapng file"}}
	case errors.Is(err, engine.ErrNotDatabase):
		return &Error{Code: exitUsage, What: err.Error(), Next: []string{"name an SQLite file, or one that does not exist: it is made"}}
	case errors.Is(err, transfer.ErrNotDirectory):
		return &Error{Code: exitUsage, What: err.Error(), Next: []string{"make the directory first, or copy one file"}}
	case errors.Is(err, transfer.ErrIsDirectory):
		return &Error{Code: exitRemote, What: err.Error(), Next: []string{"copy directories with everything in them: -r"}}
	case errors.Is(err, knownhosts.ErrBusy):
		return &Error{Code: exitRemote, What: err.Error(), Next: []string{"wait for it, and run the same command again"}}
	case errors.As(err, &pe):
		return &Error{Code: exitRemote, What: err.Error(), How: []string{"found on this machine"}, Next: []string{"check the name, and who may read and write it"}}
	}
	return nil
}

func nextAfter(code sftp.StatusCode) []string {
	switch code {
	case sftp.StatusNoSuchFile, sftp.StatusNoSuchPath:
		return []string{"look what is there: wirelark sftp HOST, then ls"}
	case sftp.StatusPermissionDenied, sftp.StatusWriteProtect:
		return []string{"log in as somebody who may: USER@HOST, or ask who runs the server"}
	case sftp.StatusOpUnsupported:
		return []string{"do without, or use another server"}
	default:
		return []string{"see what was asked and answered: --trace --trace-filter sftp"}
	}
}

// explainLine is about wrong lines of the SFTP shell and wrong commands.
func explainLine(err error) *Error {
	var ue *shell.UsageError
	var xe *exec.Error
	switch {
	case errors.As(err, &ue):
		return &Error{Code: exitUsage, What: ue.Text, Next: []string{"the command help lists all of them"}}
	case errors.As(err, &xe):
		return &Error{Code: exitUsage, What: fmt.Sprintf("cannot run %q", xe.Name), How: []string{err.Error()}, Next: []string{"check the name of the program"}}
	}
	return nil
}

// fileOf is the name of the file that err is about.
func fileOf(err error) string {
	var fe *fileError
	if errors.As(err, &fe) {
		return fe.path
	}
	return "FILE"
}

// fileError says which file of ours an error is about.
type fileError struct {
	path string
	err  error
}

func (e *fileError) Error() string { return e.err.Error() }
func (e *fileError) Unwrap() error { return e.err }
