package secret

func Word() string { return "secret" }
