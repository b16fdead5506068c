{{/* The server of a URI, or of another authority with the URI's scheme, as JSON. */}}
{{- define "edge-authz.site" -}}
{{- $scheme := regexFind "^https?" (toString .uri) -}}
{{- $authority := .authority | default (regexReplaceAll "^https?://([^/?#]*).*$" (toString .uri) "${1}") -}}
{{- if or (not $scheme) (not (regexMatch "^(\\[[0-9a-fA-F:.]+\\]|[A-Za-z0-9._-]+)(:[0-9]+)?$" $authority)) -}}
{{- fail (printf "`%s` is not a URL of a server that has keys" (toString (.authority | default .uri))) -}}
{{- end -}}
{{- $port := trimPrefix ":" (regexFind ":[0-9]+$" $authority) -}}
{{- $host := regexReplaceAll ":[0-9]+$" $authority "" -}}
{{- $tls := eq $scheme "https" -}}
{{- $plain := trimAll "[]" $host -}}
{{- $isAddress := or (contains ":" $plain) (regexMatch "^[0-9]+\\.[0-9]+\\.[0-9]+\\.[0-9]+$" $plain) -}}
{{- $inside := or (hasSuffix ".svc.cluster.local" $host) (not (contains "." $host)) -}}
{{- $port = $port | default (ternary "443" "80" $tls) -}}
{{- $istioPort := ternary $port "80" (or $inside (not $tls)) -}}
{{- toJson (dict "cluster" .cluster "host" $host "plain" $plain "port" $port "tls" $tls "isAddress" $isAddress "inside" $inside "istio" (printf "outbound|%s||%s" $istioPort $host)) -}}
{{- end -}}

{{/*
The documents that one configuration fetches, each with its place: a list of `source` (the object
with the cluster), `member` (`cluster`, or a host of `hosts`), and the server. Changing a source
changes the configuration.
*/}}
{{- define "edge-authz.each-source" -}}
{{- $document := .document -}}
{{- $found := .found -}}
{{- range $provider := $document.providers -}}
{{- range $kind := list "jwks" "revoked" -}}
{{- $source := get $provider $kind -}}
{{- if and $source $source.cluster -}}
{{- $uri := $source.uri | default $provider.issuer -}}
{{- $own := include "edge-authz.site" (dict "cluster" $source.cluster "uri" $uri) | fromJson -}}
{{- $_ := set $found "all" (append $found.all (dict "in" $source "member" "cluster" "site" $own)) -}}
{{- if not $source.uri -}}
{{- range $host := keys ($source.hosts | default dict) | sortAlpha -}}
{{- $other := include "edge-authz.site" (dict "cluster" (get $source.hosts $host) "uri" $uri "authority" $host) | fromJson -}}
{{- $_ := set $found "all" (append $found.all (dict "in" $source.hosts "member" $host "site" $other)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The servers of all configurations, each once, as JSON. */}}
{{- define "edge-authz.sites" -}}
{{- $sites := list -}}
{{- $byCluster := dict -}}
{{- range .variants -}}
{{- $found := dict "all" list -}}
{{- include "edge-authz.each-source" (dict "document" .document "found" $found) -}}
{{- range $found.all -}}
{{- $site := .site -}}
{{- $known := get $byCluster $site.cluster -}}
{{- if $known -}}
{{- if ne (toJson $known) (toJson $site) -}}
{{- fail (printf "the cluster `%s` cannot reach `%s` and `%s`; give each its own cluster" $site.cluster $known.host $site.host) -}}
{{- end -}}
{{- else -}}
{{- $_ := set $byCluster $site.cluster $site -}}
{{- $sites = append $sites $site -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toJson (dict "all" $sites) -}}
{{- end -}}

{{/* The name of a server's resources. */}}
{{- define "edge-authz.site-name" -}}
{{- .host | replace "." "-" | trunc 60 | trimAll "-" -}}
{{- end -}}

{{/* The cluster of an Envoy that reaches a server. */}}
{{- define "edge-authz.cluster" -}}
name: {{ .cluster | quote }}
{{- if .isAddress }}
type: STATIC
{{- else }}
type: LOGICAL_DNS
# Tries IPv4 and IPv6. By default Envoy uses only IPv6 if the name has an IPv6 address.
dns_lookup_family: ALL
{{- end }}
connect_timeout: 2s
load_assignment:
  cluster_name: {{ .cluster | quote }}
  endpoints:
    - lb_endpoints:
        - endpoint: {address: {socket_address: {address: {{ .plain | quote }}, port_value: {{ .port }}}}}
{{- if .tls }}
# Without the validation context, anyone between proxy and issuer could send keys.
transport_socket:
  name: envoy.transport_sockets.tls
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext
    {{- if not .isAddress }}
    sni: {{ .host | quote }}
    {{- end }}
    common_tls_context:
      validation_context:
        trusted_ca: {filename: /etc/ssl/certs/ca-certificates.crt}
        match_typed_subject_alt_names:
          - san_type: {{ ternary "IP_ADDRESS" "DNS" .isAddress }}
            matcher: {exact: {{ .plain | quote }}}
{{- end }}
{{- end -}}
