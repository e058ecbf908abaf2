// Command render fills HTML and text templates and draws a small picture.
package main

import (
	"bytes"
	htmltemplate "html/template"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"strings"
	"text/template"

	"example.com/bench-several/shared"
)

func main() {
	var html, text strings.Builder
	shared.Check(htmltemplate.Must(htmltemplate.New("h").Parse(`<b title="{{.}}">{{.}}</b>`)).Execute(&html, `<"x">`))
	shared.Check(template.Must(template.New("t").Parse(`{{range .}}[{{.}}]{{end}}`)).Execute(&text, []int{1, 2, 3}))
	picture := image.NewRGBA(image.Rect(0, 0, 8, 8))
	picture.Set(3, 3, color.RGBA{255, 0, 0, 255})
	var asPNG, asJPEG bytes.Buffer
	shared.Check(png.Encode(&asPNG, picture))
	shared.Check(jpeg.Encode(&asJPEG, picture, nil))
	shared.Say("render", html.String(), text.String(), asPNG.Len() > 0, asJPEG.Len() > 0)
}
