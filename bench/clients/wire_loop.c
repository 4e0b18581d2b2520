/* SPDX-License-Identifier: MIT */
/* What a watched call costs, on a socket that answers at once: one thread writes a batch of
 * requests to itself over loopback and reads them back at the other end, which is not watched, then
 * answers.
 *
 * usage: wire_loop BATCH ROUNDS     prints ns per round: two watched calls, two others */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define REQUEST "*3\r\n$3\r\nSET\r\n$16\r\nkey:__rand_int__\r\n$3\r\nxxx\r\n"
#define REPLY   "+OK\r\n"
#define MAX     1024

static int client, server;

static void pair(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct sockaddr any;
    socklen_t length = sizeof(to);
    int listener = socket(AF_INET, SOCK_STREAM, 0);

    memcpy(&any, &to, sizeof(any));
    if (bind(listener, &any, sizeof(to)) < 0 || listen(listener, 1) < 0 ||
        getsockname(listener, &any, &length) < 0)
        exit(1);
    client = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(client, &any, length) < 0)
        exit(1);
    server = accept(listener, NULL, NULL);
}

static void move(int from, int to, const char *bytes, size_t count)
{
    static char buffer[MAX * sizeof(REQUEST)];

    if (send(from, bytes, count, 0) != (ssize_t)count)
        exit(1);
    for (size_t have = 0; have < count;) {
        ssize_t n = recv(to, buffer, sizeof(buffer), 0);
        if (n <= 0)
            exit(1);
        have += (size_t)n;
    }
}

int main(int argc, char **argv)
{
    static char requests[MAX * sizeof(REQUEST)], replies[MAX * sizeof(REPLY)];
    int batch = argc > 2 ? atoi(argv[1]) : 1, rounds = argc > 2 ? atoi(argv[2]) : 1000;
    struct timespec begin, end;

    for (int i = 0; i < batch && i < MAX; i++) {
        memcpy(requests + (size_t)i * strlen(REQUEST), REQUEST, strlen(REQUEST));
        memcpy(replies + (size_t)i * strlen(REPLY), REPLY, strlen(REPLY));
    }
    pair();
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
    for (int i = 0; i < rounds; i++) {
        move(client, server, requests, (size_t)batch * strlen(REQUEST));
        move(server, client, replies, (size_t)batch * strlen(REPLY));
    }
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
    double ns = (double)(end.tv_sec - begin.tv_sec) * 1e9 + (double)(end.tv_nsec - begin.tv_nsec);
    printf("%.1f\n", ns / rounds);
    return 0;
}
