//! Envoy's external authorization (`envoy.service.auth.v3`), over gRPC and HTTP.
