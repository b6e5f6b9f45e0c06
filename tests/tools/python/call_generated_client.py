"""Calls a running service with the client that was generated from its OpenAPI document as `generated_client`.

    call_generated_client.py BASE_URL KEY ADMIN_KEY
"""

import sys

from generated_client import AuthenticatedClient
from generated_client.api.analyze import analyze
from generated_client.api.api_keys import create_api_key, get_api_key
from generated_client.api.providers import list_providers
from generated_client.models import NewApiKey, Problem, PromptRequest


def main(base_url: str, key: str, admin_key: str) -> None:
    client = AuthenticatedClient(base_url=base_url, token=key)
    answer = analyze.sync(client=client, body=PromptRequest(prompt="Please cancel my plan", schema_id="support-intent"))
    assert answer.data["intent"], answer
    assert answer.schema == "support-intent@1.0.0", answer
    refused = analyze.sync(client=client, body=PromptRequest(prompt="Hi", schema_id="nothing"))
    assert isinstance(refused, Problem) and refused.errors[0].pointer == "#/schema_id", refused
    assert list_providers.sync(client=client).data[0].state == "up"
    administrator = AuthenticatedClient(base_url=base_url, token=admin_key)
    made = create_api_key.sync(client=administrator, body=NewApiKey(name="generated"))
    assert get_api_key.sync(made.id, client=administrator).name == "generated", made
    print("everything was answered")


if __name__ == "__main__":
    main(*sys.argv[1:])
