package version

func Name() string { return "v1.2" }
