package second

var N string = 12
