package flow

import (
	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/wire"
)

// guessed is what most connections of today agree on.
const guessed = mysql.ClientLongPassword | mysql.ClientProtocol41 | mysql.ClientTransactions | mysql.ClientSecureConnection | mysql.ClientMultiResults | mysql.ClientPSMultiResults |
	mysql.ClientPluginAuth | mysql.ClientConnectAttrs | mysql.ClientDeprecateEOF

// learn corrects the guessed dialect by what a payload cannot be otherwise.
func (f *Flow) learn(dir wire.Dir, payload []byte) {
	if len(payload) == 0 {
		return
	}
	both := mysql.Caps(f.dialect)
	if dir == wire.C2S {
		// No statement begins with a NUL byte or the number of sets.
		if mysql.Command(payload[0]) == mysql.ComQuery && len(payload) > 2 && !f.infile {
			both = with(both, mysql.ClientQueryAttributes, payload[2] == 1 && payload[1] < 0x20)
		}
		if mysql.Command(payload[0]) == mysql.ComStmtExecute && !f.infile {
			both = f.learnExecute(both, payload)
		}
		f.dialect = mysql.NewDialect(both)
		return
	}
	eof := payload[0] == mysql.HeaderEOF && len(payload) == 5
	if len(f.queue) == 0 {
		if eof && !f.lost { // behind the definitions of a prepared statement
			f.dialect = mysql.NewDialect(with(both, mysql.ClientDeprecateEOF, false))
		}
		return
	}
	switch f.answer.step {
	case stepFirst:
		both = learnCount(both, payload)
	case stepColumns, stepParams, stepFields:
		both = learnColumn(both, payload)
	case stepRows:
		if len(f.columns) > 0 && eof && f.answer.count > 0 && mysql.Caps(f.dialect).Has(mysql.ClientDeprecateEOF) {
			both = with(both, mysql.ClientDeprecateEOF, false)
			f.answer.step = stepColumnsEnd
		}
	case stepPrepare:
		both = with(both, mysql.ClientOptionalResultsetMetadata, len(payload) == 13)
	}
	if eof && f.answer.step == stepColumns && f.answer.prepare != nil {
		both = with(both, mysql.ClientDeprecateEOF, false)
		f.answer.step = stepParamsEnd
	}
	f.dialect = mysql.NewDialect(both)
}

func with(v, flag mysql.Capabilities, on bool) mysql.Capabilities {
	if on {
		return v | flag
	}
	return v &^ flag
}

// learnExecute tells parameters with names from those without.
func (f *Flow) learnExecute(both mysql.Capabilities, payload []byte) mysql.Capabilities {
	s := f.statement(payload)
	if s == nil || !s.known {
		return both
	}
	for _, try := range []mysql.Capabilities{both, both ^ mysql.ClientQueryAttributes} {
		if mysql.Parse(payload, mysql.NewStmtExecute(s.params), mysql.NewDialect(try)) == nil {
			return try
		}
	}
	return both
}

// learnCount looks for the byte behind a column count.
func learnCount(both mysql.Capabilities, payload []byte) mysql.Capabilities {
	if first := payload[0]; first == mysql.HeaderOK || first >= mysql.HeaderLocalInfile {
		return both
	}
	return with(both, mysql.ClientOptionalResultsetMetadata, len(payload) == 2)
}

// learnColumn tells a definition with MariaDB's extended metadata from one
// without.
func learnColumn(both mysql.Capabilities, payload []byte) mysql.Capabilities {
	const flags = mysql.ClientLongPassword | mysql.MariaDBExtendedMetadata
	for _, try := range []mysql.Capabilities{both, both ^ flags} {
		if mysql.Parse(payload, new(mysql.Column), mysql.NewDialect(try)) == nil {
			return try
		}
	}
	return both
}
