package page

import _ "embed"

//go:embed page.html
var html string

func Title() string { return html[3:7] }
