package mysql

import (
	"github.com/wirelark/wirelark/wire"
)

// guessed is what most connections of today agree on.
const guessed = ClientLongPassword | ClientProtocol41 | ClientTransactions | ClientSecureConnection | ClientMultiResults | ClientPSMultiResults |
	ClientPluginAuth | ClientDeprecateEOF

// learn corrects the guessed dialect by what a payload cannot be otherwise.
func (f *Flow) learn(dir wire.Dir, payload []byte) {
	if len(payload) == 0 {
		return
	}
	both := Caps(f.dialect)
	if dir == wire.C2S {
		// No statement begins with a NUL byte or the number of sets.
		if Command(payload[0]) == ComQuery && len(payload) > 2 && !f.infile {
			both = with(both, ClientQueryAttributes, payload[2] == 1 && payload[1] < 0x20)
		}
		f.dialect = NewDialect(both)
		return
	}
	if len(f.queue) == 0 {
		return
	}
	eof := payload[0] == HeaderEOF && len(payload) == 5
	switch f.answer.step {
	case stepFirst:
		both = learnCount(both, payload)
		both = learnOK(both, payload)
	case stepSimple, stepInfileDone:
		both = learnOK(both, payload)
	case stepColumns, stepParams, stepFields:
		both = learnColumn(both, payload)
	case stepRows:
		if len(f.columns) > 0 && eof && f.answer.count > 0 && Caps(f.dialect).Has(ClientDeprecateEOF) {
			both = with(both, ClientDeprecateEOF, false)
			f.answer.step = stepColumnsEnd
		}
	case stepPrepare:
		both = with(both, ClientOptionalResultsetMetadata, len(payload) == 13)
	}
	if eof && f.answer.step == stepColumns && f.answer.prepare != nil {
		both = with(both, ClientDeprecateEOF, false)
		f.answer.step = stepParamsEnd
	}
	f.dialect = NewDialect(both)
}

func with(v, flag Capabilities, on bool) Capabilities {
	if on {
		return v | flag
	}
	return v &^ flag
}

// learnCount looks for the byte behind a column count.
func learnCount(both Capabilities, payload []byte) Capabilities {
	if first := payload[0]; first == HeaderOK || first >= HeaderLocalInfile {
		return both
	}
	return with(both, ClientOptionalResultsetMetadata, len(payload) == 2)
}

// learnOK tells an OK with session tracking from one without.
func learnOK(both Capabilities, payload []byte) Capabilities {
	var m OK
	if payload[0] != HeaderOK || Parse(payload, &m, NewDialect(both&^ClientSessionTrack)) != nil || m.Info == "" {
		return both
	}
	return with(both, ClientSessionTrack, Parse(payload, new(OK), NewDialect(both|ClientSessionTrack)) == nil)
}

// learnColumn tells a definition with MariaDB's extended metadata from one
// without.
func learnColumn(both Capabilities, payload []byte) Capabilities {
	const flags = ClientLongPassword | MariaDBExtendedMetadata
	for _, try := range []Capabilities{both, both ^ flags} {
		if Parse(payload, new(Column), NewDialect(try)) == nil {
			return try
		}
	}
	return both
}
