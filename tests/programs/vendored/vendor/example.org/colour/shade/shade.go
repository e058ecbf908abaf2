package shade

// Name has a loop variable captured, whose meaning depends on the module's go version.
func Name() string {
	var all []func() string
	for _, s := range []string{"dark", "light"} {
		all = append(all, func() string { return s })
	}
	return all[0]()
}
