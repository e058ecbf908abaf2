package first

var N int = "not a number"

func F() int { return undefinedName }
