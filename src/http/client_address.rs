//! Where requests come from, as far as a socket tells: a proxy in between is taken for the client.

use std::net::IpAddr;

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;

/// The address of the other end of a request's connection. In the request's extensions.
#[derive(Debug, Clone, Copy)]
pub struct ClientAddress(pub IpAddr);

/// The routes for one connection, which are told where its requests come from.
pub struct RoutesFor {
    routes: TowerToHyperService<Router>,
    client: ClientAddress,
}

impl RoutesFor {
    /// These routes, for the connection of this client.
    pub fn new(client: IpAddr, routes: Router) -> Self {
        // A listener for both versions of IP sees an IPv4 client as ::ffff:192.0.2.1.
        Self { routes: TowerToHyperService::new(routes), client: ClientAddress(client.to_canonical()) }
    }
}

impl Service<Request<Incoming>> for RoutesFor {
    type Response = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Response;
    type Error = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Error;
    type Future = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Future;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        request.extensions_mut().insert(self.client);
        self.routes.call(request)
    }
}
