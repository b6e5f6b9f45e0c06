//! The pages in a real browser.

use std::process::Command;

use super::service::{Service, python, succeed, test_file};

#[test]
fn both_pages_work_in_chromium_without_any_other_server_and_an_operation_can_be_tried() {
    let service = Service::start();
    let url = format!("http://{}", service.program.address());
    let mut open = Command::new(python());
    open.arg(test_file("tools/python/open_pages.py")).args([&url, &service.key]);
    let said = succeed(&mut open);
    assert!(said.contains("/docs: as it should be") && said.contains("/redoc: as it should be"), "{said}");
}
