package extra

func Name() string { return "extra" }
