package good

var N = 1
