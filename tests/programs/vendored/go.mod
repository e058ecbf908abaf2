module example.com/vendored

go 1.26

require (
	example.org/colour v1.4.0
	example.org/deep v0.3.1 // indirect
)
