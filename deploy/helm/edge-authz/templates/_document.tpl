{{/*
The configuration of one part of the values, as JSON: `config`, or `configFile` parsed. `mode`
replaces the mode of the configuration.
*/}}
{{- define "edge-authz.document" -}}
{{- $document := deepCopy (.part.config | default dict) -}}
{{- if .part.configFile -}}
{{- if $document -}}
{{- fail (printf "`%sconfig` and `%sconfigFile` exclude each other" .at .at) -}}
{{- end -}}
{{- if regexMatch "\n---" (trimPrefix "---" .part.configFile) -}}
{{- fail (printf "`%sconfigFile` has several YAML documents; write one" .at) -}}
{{- end -}}
{{- $document = fromYaml .part.configFile -}}
{{- if hasKey $document "Error" -}}
{{- fail (printf "`%sconfigFile` is not YAML: %s" .at (get $document "Error")) -}}
{{- end -}}
{{- end -}}
{{- if and (not $document) .required -}}
{{- fail (printf "the configuration is missing: write it into `%sconfig`, or --set-file %sconfigFile=edge-authz.yaml" .at .at) -}}
{{- end -}}
{{- if and $document .mode -}}
{{- $_ := set $document "mode" .mode -}}
{{- end -}}
{{- toJson $document -}}
{{- end -}}

{{/*
The text of a configuration: the file as it is, with its comments, unless the mode of the
values replaces its own.
*/}}
{{- define "edge-authz.text" -}}
{{- if and .part.configFile (not .mode) -}}
{{- .part.configFile | trim -}}
{{- else -}}
{{- toYaml .document -}}
{{- end -}}
{{- end -}}

{{/*
The configurations with the proxies that they are for, as a JSON list: the usual one, and the
canary's if it is enabled.
*/}}
{{- define "edge-authz.variants" -}}
{{- include "edge-authz.check" . -}}
{{- $values := .Values -}}
{{- $name := include "edge-authz.name" . -}}
{{- $required := not (and (eq $values.host "server") $values.server.configMap) -}}
{{- $text := include "edge-authz.document" (dict "part" $values "at" "" "mode" $values.mode "required" $required) -}}
{{- $main := dict "name" $name "document" (fromJson $text) "text" (include "edge-authz.text" (dict "part" $values "mode" $values.mode "document" (fromJson $text))) "selector" $values.istio.selector "gateways" $values.istio.gateways "gateway" $values.envoyGateway.gateway -}}
{{- $variants := list $main -}}
{{- with $values.canary -}}
{{- if .enabled -}}
{{- $own := include "edge-authz.document" (dict "part" . "at" "canary." "mode" .mode "required" false) -}}
{{- $document := fromJson $own -}}
{{- if not $document -}}
{{- $document = set (fromJson $text) "mode" .mode -}}
{{- end -}}
{{- $canary := dict "name" (printf "%s-canary" $name) "document" $document "text" (toYaml $document) "selector" .selector "gateways" .gateways "gateway" .gateway -}}
{{- $variants = append $variants $canary -}}
{{- end -}}
{{- end -}}
{{- toJson (dict "all" $variants) -}}
{{- end -}}
