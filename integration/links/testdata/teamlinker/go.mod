module example.com/teamlinker

go 1.26.0

require (
	github.com/kelemetry/kelemetry v0.1.0
	go.opentelemetry.io/collector/component v1.64.0
	go.opentelemetry.io/collector/extension v1.64.0
)
