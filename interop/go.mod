module github.com/wirelark/wirelark/interop

go 1.26.0

replace github.com/wirelark/wirelark => ../
