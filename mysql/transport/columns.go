package transport

import "github.com/wirelark/wirelark/mysql"

// Columns reads n column definitions. Nothing is reserved for them before they
// come. The server may say an error instead of any of them.
func (l *Line) Columns(n int) ([]mysql.Column, error) {
	columns := make([]mysql.Column, 0, min(n, 64))
	for range n {
		p, err := l.Read()
		if err != nil {
			return nil, err
		}
		if p[0] == mysql.HeaderERR {
			return nil, l.ServerError(p)
		}
		var m mysql.Column
		if err := l.Parse(p, &m); err != nil {
			return nil, err
		}
		columns = append(columns, m)
	}
	return columns, nil
}

// Middle reads the EOF that stands behind column definitions where
// ClientDeprecateEOF is not agreed.
func (l *Line) Middle() (*mysql.EOF, error) {
	p, err := l.Read()
	if err != nil {
		return nil, err
	}
	if p[0] != mysql.HeaderEOF {
		return nil, &ProtocolError{What: "no EOF behind column definitions"}
	}
	m := new(mysql.EOF)
	return m, l.Parse(p, m)
}
