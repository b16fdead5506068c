{{/* The name of the resources. */}}
{{- define "edge-authz.name" -}}
{{- if contains "edge-authz" .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-edge-authz" .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "edge-authz.labels" -}}
app.kubernetes.io/name: edge-authz
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | quote }}
{{- end -}}

{{- define "edge-authz.metadata" -}}
metadata:
  name: {{ .name | quote }}
  namespace: {{ .root.Release.Namespace | quote }}
  labels:
    {{- include "edge-authz.labels" .root | nindent 4 }}
{{- end -}}

{{/* The reference of an image: by digest, else by tag. */}}
{{- define "edge-authz.image" -}}
{{- if .image.digest -}}
{{- printf "%s@%s" .image.repository .image.digest -}}
{{- else -}}
{{- printf "%s:%s" .image.repository (.image.tag | default .root.Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{/* Mistakes that the schema of the values cannot express. */}}
{{- define "edge-authz.check" -}}
{{- $values := .Values -}}
{{- if not $values.host -}}
{{- fail "`host` is missing: write istio, envoy-gateway or server" -}}
{{- end -}}
{{- if eq $values.host "istio" -}}
{{- include "edge-authz.check-istio" (dict "selector" $values.istio.selector "gateways" $values.istio.gateways "proxy" $values.istio.proxy "at" "istio") -}}
{{- end -}}
{{- if and (eq $values.host "server") $values.server.configMap -}}
{{- if or $values.config $values.configFile $values.mode $values.canary.enabled -}}
{{- fail "`server.configMap` excludes `config`, `configFile`, `mode` and `canary`, which would have no effect on it" -}}
{{- end -}}
{{- end -}}
{{- with $values.canary -}}
{{- if .enabled -}}
{{- if not .mode -}}
{{- fail "`canary.mode` is missing: write report or enforce. `report` lets requests pass that would be refused" -}}
{{- end -}}
{{- if eq $values.host "istio" -}}
{{- include "edge-authz.check-istio" (dict "selector" .selector "gateways" .gateways "proxy" $values.istio.proxy "at" "canary") -}}
{{- $main := $values.istio -}}
{{- if and (not .gateways) (not $main.gateways) -}}
{{- $apart := false -}}
{{- range $label, $value := .selector -}}
{{- if and (hasKey $main.selector $label) (ne (get $main.selector $label) $value) -}}
{{- $apart = true -}}
{{- end -}}
{{- end -}}
{{- if not $apart -}}
{{- fail "`canary.selector` and `istio.selector` can match the same pod, where both configurations would decide: give one label different values in the two" -}}
{{- end -}}
{{- end -}}
{{- range .gateways -}}
{{- if has . $main.gateways -}}
{{- fail (printf "the Gateway `%s` is in `istio.gateways` and in `canary.gateways`: both configurations would decide" .) -}}
{{- end -}}
{{- end -}}
{{- if ne (empty .gateways) (empty $main.gateways) -}}
{{- fail "`canary` and `istio` must both name `gateways` or both name a `selector`, because a pod could match both" -}}
{{- end -}}
{{- end -}}
{{- if and (eq $values.host "envoy-gateway") (or (not .gateway) (eq .gateway $values.envoyGateway.gateway)) -}}
{{- fail "`canary.gateway` must name another Gateway than `envoyGateway.gateway`" -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The pods of one configuration in Istio. */}}
{{- define "edge-authz.check-istio" -}}
{{- if and .selector .gateways -}}
{{- fail (printf "`%s.selector` and `%s.gateways` exclude each other" .at .at) -}}
{{- end -}}
{{- if and (eq .proxy "sidecar") (not .selector) -}}
{{- fail (printf "`%s.selector` is missing: the labels of the workload whose sidecars enforce the rules" .at) -}}
{{- end -}}
{{- if and (eq .proxy "waypoint") (not .gateways) -}}
{{- fail (printf "`%s.gateways` is missing: the names of the waypoints" .at) -}}
{{- end -}}
{{- if and (eq .proxy "gateway") (not .selector) (not .gateways) -}}
{{- fail (printf "`%s.selector` or `%s.gateways` is missing: for example `%s.selector.istio=ingressgateway`" .at .at .at) -}}
{{- end -}}
{{- end -}}
