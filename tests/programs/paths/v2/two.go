package two

func Name() string { return "v2" }
