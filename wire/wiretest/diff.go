package wiretest

import (
	"bytes"
	"fmt"
	"math"
	"reflect"
)

// Diff returns the place and the values of the first difference between two
// messages, or "" when they are the same. Unlike reflect.DeepEqual it takes
// empty slices for nil ones and equal bits for equal floats, as the wire does,
// and functions for equal.
func Diff(got, want any) string {
	d := differ{}
	d.values("", reflect.ValueOf(got), reflect.ValueOf(want))
	return d.found
}

// diffTexts is Diff for strings alone.
func diffTexts(got, want any) string {
	d := differ{texts: true}
	d.values("", reflect.ValueOf(got), reflect.ValueOf(want))
	return d.found
}

type differ struct {
	texts bool
	found string
}

func (d *differ) report(path string, got, want any) {
	if d.found == "" {
		d.found = fmt.Sprintf("%s = %#v, want %#v", path, got, want)
	}
}

func (d *differ) values(path string, a, b reflect.Value) {
	switch {
	case d.found != "":
		return
	case a.IsValid() != b.IsValid() || a.IsValid() && a.Type() != b.Type():
		d.report(path, fmt.Sprint(a), fmt.Sprint(b))
		return
	case !a.IsValid():
		return
	}
	switch a.Kind() {
	case reflect.Pointer, reflect.Interface:
		switch {
		case a.IsNil() != b.IsNil():
			d.report(path, fmt.Sprint(a), fmt.Sprint(b))
		case !a.IsNil():
			d.values(path, a.Elem(), b.Elem())
		}
	case reflect.Struct:
		for i := range a.NumField() {
			d.values(path+"."+a.Type().Field(i).Name, a.Field(i), b.Field(i))
		}
	case reflect.Slice, reflect.Array:
		d.lists(path, a, b)
	case reflect.Map:
		d.maps(path, a, b)
	case reflect.String:
		if a.String() != b.String() {
			d.report(path, a.String(), b.String())
		}
	case reflect.Func, reflect.Chan, reflect.UnsafePointer:
	default:
		if x, y := scalar(a), scalar(b); !d.texts && x != y {
			d.report(path, x, y)
		}
	}
}

func (d *differ) lists(path string, a, b reflect.Value) {
	if a.Len() != b.Len() {
		d.report("len("+path+")", a.Len(), b.Len())
		return
	}
	if a.Kind() == reflect.Slice && a.Type().Elem().Kind() == reflect.Uint8 {
		if !d.texts && !bytes.Equal(a.Bytes(), b.Bytes()) {
			d.report(path, a.Bytes(), b.Bytes())
		}
		return
	}
	for i := range a.Len() {
		d.values(fmt.Sprintf("%s[%d]", path, i), a.Index(i), b.Index(i))
	}
}

func (d *differ) maps(path string, a, b reflect.Value) {
	if a.Len() != b.Len() {
		d.report("len("+path+")", a.Len(), b.Len())
		return
	}
	for _, k := range a.MapKeys() {
		d.values(fmt.Sprintf("%s[%v]", path, k), a.MapIndex(k), b.MapIndex(k))
	}
}

// scalar returns the value as bits that can be compared.
func scalar(v reflect.Value) any {
	switch {
	case v.CanInt():
		return v.Int()
	case v.CanUint():
		return v.Uint()
	case v.Kind() == reflect.Bool:
		return v.Bool()
	case v.CanFloat():
		return math.Float64bits(v.Float())
	case v.CanComplex():
		x := v.Complex()
		return [2]uint64{math.Float64bits(real(x)), math.Float64bits(imag(x))}
	}
	panic("internal error: no scalar of kind " + v.Kind().String())
}
