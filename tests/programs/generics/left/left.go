package left

import "example.com/generics/list"

// Weight is a type of its own.
type Weight float64

// Sum instantiates with this package's type, and with int as right does.
func Sum() Weight { return list.Sum(list.Of[Weight](1.5, 2)) + Weight(list.Sum(list.Of(1, 2))) }
