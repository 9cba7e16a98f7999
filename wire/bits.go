package wire

import "reflect"

// reflectUint and fromUint serve Bits for named types, which only header
// layouts off the hot path use.

func reflectUint(v any) uint64 {
	r := reflect.ValueOf(v)
	if r.Kind() == reflect.Bool {
		if r.Bool() {
			return 1
		}
		return 0
	}
	return r.Uint()
}

func fromUint[T ~bool | ~uint8 | ~uint16 | ~uint32 | ~uint64](v *T, x uint64) {
	switch p := any(v).(type) {
	case *bool:
		*p = x != 0
	case *uint8:
		*p = uint8(x)
	case *uint16:
		*p = uint16(x)
	case *uint32:
		*p = uint32(x)
	case *uint64:
		*p = x
	default:
		r := reflect.ValueOf(v).Elem()
		if r.Kind() == reflect.Bool {
			r.SetBool(x != 0)
		} else {
			r.SetUint(x)
		}
	}
}

func toUint[T ~bool | ~uint8 | ~uint16 | ~uint32 | ~uint64](v T) uint64 {
	switch x := any(v).(type) {
	case uint8:
		return uint64(x)
	case uint16:
		return uint64(x)
	case uint32:
		return uint64(x)
	case uint64:
		return x
	}
	return reflectUint(v)
}
