# SPDX-License-Identifier: MIT
"""Parca's ProfileStoreService/WriteRaw over a real gRPC, for the distribution's Python: keeps each
request as FOLDER/N and answers with STATUS ("OK" or a name of grpc.StatusCode). Prints its port.
With a key and its certificate it speaks TLS.

usage: parca_server.py FOLDER STATUS [KEY CERTIFICATE]"""
import os
import sys
import threading
from concurrent import futures

import grpc

METHOD = "/parca.profilestore.v1alpha1.ProfileStoreService/WriteRaw"


class Service(grpc.GenericRpcHandler):
    def __init__(self, folder, status):
        self.folder, self.status, self.calls = folder, status, 0

    def write_raw(self, data, context):
        with open(os.path.join(self.folder, str(self.calls)), "wb") as f:
            f.write(data)
        self.calls += 1
        if self.status != "OK":
            context.abort(getattr(grpc.StatusCode, self.status), "as it was told to")
        return b""

    def service(self, details):
        if details.method == METHOD:
            return grpc.unary_unary_rpc_method_handler(self.write_raw)
        return None


def listen(server, key=None, certificate=None):
    if not key:
        return server.add_insecure_port("127.0.0.1:0")
    with open(key, "rb") as k, open(certificate, "rb") as c:
        pair = (k.read(), c.read())
    return server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([pair]))


def main():
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=1),
                         handlers=(Service(*sys.argv[1:3]),))
    print(listen(server, *sys.argv[3:]), flush=True)
    server.start()
    threading.Event().wait()


main()
