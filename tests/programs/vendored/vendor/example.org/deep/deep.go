package deep

func Name() string {
	var all []func() string
	for _, s := range []string{"shallow", "deep"} {
		all = append(all, func() string { return s })
	}
	return all[0]()
}
