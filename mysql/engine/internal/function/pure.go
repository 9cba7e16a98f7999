package function

import (
	"database/sql/driver"
	"maps"

	"github.com/wirelark/wirelark/mysql/engine/internal/value"
)

// pure are the functions whose result depends on their arguments alone.
var pure = func() map[string]scalar {
	m := map[string]scalar{
		"wl_dec": value.Arith, "wl_int": value.IntArith, "wl_todec": value.ToDecimal, "wl_castdec": value.CastDecimal, "wl_castint": value.CastInt,
	}
	maps.Copy(m, dateFuncs)
	maps.Copy(m, textFuncs)
	maps.Copy(m, numberFuncs)
	maps.Copy(m, jsonFuncs)
	return m
}()

// strict makes a function that is NULL if one of its arguments is.
func strict(f func(a []driver.Value) driver.Value) scalar {
	return func(a []driver.Value) (driver.Value, error) {
		for _, v := range a {
			if v == nil {
				return nil, nil
			}
		}
		return f(a), nil
	}
}

// stringFunc makes a function of one text.
func stringFunc(f func(s string) driver.Value) scalar {
	return strict(func(a []driver.Value) driver.Value { return f(value.Text(a[0])) })
}
