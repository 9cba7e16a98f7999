package value

import "github.com/wirelark/wirelark/mysql"

// Complete returns a column with what was left out and follows from its type:
// Catalog "def", the collation, which is the given one for texts and
// [mysql.CollationBinary] for all else, the length, the flags NUM, BLOB and
// BINARY, and 31 decimals, any number of digits, for FLOAT and DOUBLE.
func Complete(v mysql.Column, collation uint16) mysql.Column {
	if v.Catalog == "" {
		v.Catalog = "def"
	}
	k := kindOf(v.Type)
	if v.Collation == 0 {
		v.Collation = collation
		if !k.text {
			v.Collation = mysql.CollationBinary
		}
	}
	if k.number {
		v.Flags |= mysql.FlagNum
	}
	if k.blob {
		v.Flags |= mysql.FlagBlob
	}
	if v.Collation == mysql.CollationBinary && !k.number {
		v.Flags |= mysql.FlagBinary
	}
	if v.Length == 0 {
		v.Length = k.length
	}
	if v.Decimals == 0 && (v.Type == mysql.TypeFloat || v.Type == mysql.TypeDouble) {
		v.Decimals = notFixed
	}
	return v
}

// notFixed marks numbers with as many digits behind the point as they need.
const notFixed = 31

// typeKind is what follows from a type.
type typeKind struct {
	text, number, blob bool
	length             uint32 // bytes of the longest text form
}

func kindOf(t mysql.Type) typeKind {
	switch t {
	case mysql.TypeTiny:
		return typeKind{number: true, length: 4}
	case mysql.TypeShort:
		return typeKind{number: true, length: 6}
	case mysql.TypeYear:
		return typeKind{number: true, length: 4}
	case mysql.TypeInt24:
		return typeKind{number: true, length: 9}
	case mysql.TypeLong:
		return typeKind{number: true, length: 11}
	case mysql.TypeLonglong:
		return typeKind{number: true, length: 20}
	case mysql.TypeFloat:
		return typeKind{number: true, length: 12}
	case mysql.TypeDouble:
		return typeKind{number: true, length: 22}
	case mysql.TypeDecimal, mysql.TypeNewDecimal:
		return typeKind{number: true, length: 67}
	case mysql.TypeDate:
		return typeKind{length: 10}
	case mysql.TypeTime:
		return typeKind{length: 17}
	case mysql.TypeDatetime, mysql.TypeTimestamp:
		return typeKind{length: 26}
	case mysql.TypeBit:
		return typeKind{length: 64}
	case mysql.TypeNull:
		return typeKind{}
	case mysql.TypeJSON, mysql.TypeGeometry, mysql.TypeVector, mysql.TypeLongBlob:
		return typeKind{blob: true, length: 1<<32 - 1}
	case mysql.TypeTinyBlob:
		return typeKind{blob: true, length: 1<<8 - 1}
	case mysql.TypeBlob:
		return typeKind{blob: true, length: 1<<16 - 1}
	case mysql.TypeMediumBlob:
		return typeKind{blob: true, length: 1<<24 - 1}
	}
	return typeKind{text: true, length: 1 << 16}
}

// IsString reports whether values of the type travel as strings of bytes.
func IsString(t mysql.Type) bool {
	switch t {
	case mysql.TypeDecimal, mysql.TypeNewDecimal, mysql.TypeBit:
		return true
	}
	k := kindOf(t)
	return k.text || k.blob
}
