module example.com/godebug

go 1.26

godebug (
	default=go1.24
	panicnil=1
)
