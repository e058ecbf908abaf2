// Command server answers one request of its own over HTTP, unless -addr keeps it serving.
package main

import (
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"example.com/bench-several/shared"
)

func main() {
	addr := flag.String("addr", "", "serve here for ever")
	flag.Parse()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "path ", r.URL.Path) })
	if *addr != "" {
		shared.Check(http.ListenAndServe(*addr, mux))
	}
	recorder := httptest.NewRecorder()
	mux.ServeHTTP(recorder, httptest.NewRequest("GET", "/here", nil))
	body, err := io.ReadAll(recorder.Result().Body)
	shared.Check(err)
	shared.Say("server", recorder.Code, string(body))
}
