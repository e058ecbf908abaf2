// Command jsontool turns CSV into JSON and XML.
package main

import (
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"strings"

	"example.com/bench-several/shared"
)

type row struct {
	Name  string `json:"name" xml:"name,attr"`
	Value string `json:"value" xml:",chardata"`
}

func main() {
	records, err := csv.NewReader(strings.NewReader("a,1\nb,2\n")).ReadAll()
	shared.Check(err)
	var rows []row
	for _, record := range records {
		rows = append(rows, row{record[0], record[1]})
	}
	asJSON, err := json.Marshal(rows)
	shared.Check(err)
	asXML, err := xml.Marshal(rows)
	shared.Check(err)
	shared.Say("jsontool", string(asJSON), string(asXML))
}
