// Package nested is in a module without a go line: language 1.16, one variable for the whole loop.
package nested

func Name() string {
	var all []func() string
	for _, s := range []string{"first", "last"} {
		all = append(all, func() string { return s })
	}
	return all[0]()
}
