package plus

func Name() string { return "a+b" }
