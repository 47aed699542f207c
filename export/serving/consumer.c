/* Upscales a raw image with an exported SavedModel, by TensorFlow's C API alone.

   consumer DIRECTORY HEIGHT WIDTH IMAGE OUT_HEIGHT OUT_WIDTH OUTPUT

   DIRECTORY is one version's. IMAGE is a file of HEIGHT x WIDTH x 3 float32 numbers in [0, 1], row
   by row, red, green and blue together; OUTPUT becomes one of OUT_HEIGHT x OUT_WIDTH x 3.
   README.md has the command that builds it. */

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tensorflow/c/c_api.h"

static const char SIGNATURE[] = "upscale_float";

static void fail(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fputs("consumer: ", stderr);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  va_end(arguments);
  exit(1);
}

static void check(const TF_Status *status, const char *what) {
  if (TF_GetCode(status) == TF_OK) return;
  /* Only the first line says what is wrong; the others say where in the graph. */
  const char *message = TF_Message(status);
  fail("%s: %.*s", what, (int)strcspn(message, "\n"), message);
}

/* Bytes of a protocol buffer. */
typedef struct {
  const uint8_t *at, *end;
} Bytes;

static uint64_t read_varint(Bytes *bytes) {
  uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    if (bytes->at == bytes->end) break;
    uint8_t byte = *bytes->at++;
    value |= (uint64_t)(byte & 127) << shift;
    if (!(byte & 128)) return value;
  }
  fail("the SavedModel's description is damaged");
  return 0;
}

/* Moves on to the next field and returns its number, 0 at the end; `content` is empty unless it is
   text, bytes or a message. */
static unsigned next_field(Bytes *bytes, Bytes *content) {
  if (bytes->at == bytes->end) return 0;
  uint64_t tag = read_varint(bytes), length = 0;
  *content = (Bytes){bytes->at, bytes->at};
  switch (tag & 7) {
    case 0: read_varint(bytes); return (unsigned)(tag >> 3);
    case 1: length = 8; break;
    case 2: length = read_varint(bytes); break;
    case 5: length = 4; break;
    default: fail("the SavedModel's description is damaged");
  }
  if (length > (uint64_t)(bytes->end - bytes->at)) fail("the SavedModel's description is damaged");
  content->at = bytes->at;
  content->end = bytes->at += length;
  return (unsigned)(tag >> 3);
}

static int find_field(Bytes bytes, unsigned number, Bytes *content) {
  for (unsigned found; (found = next_field(&bytes, content));)
    if (found == number) return 1;
  return 0;
}

/* The value of a map's entry: maps are repeated messages of a key, 1, and a value, 2. */
static int find_entry(Bytes bytes, unsigned number, const char *key, Bytes *value) {
  Bytes entry, name;
  for (unsigned found; (found = next_field(&bytes, &entry));) {
    if (found != number || !find_field(entry, 1, &name)) continue;
    size_t length = (size_t)(name.end - name.at);
    if (length == strlen(key) && !memcmp(name.at, key, length)) return find_field(entry, 2, value);
  }
  return 0;
}

/* Field numbers of tensorflow/core/protobuf/meta_graph.proto. */
enum { SIGNATURES = 5, INPUTS = 1, OUTPUTS = 2, NAME = 1 };

/* The graph's tensor behind an input or an output of the signature. */
static TF_Output tensor_of(TF_Graph *graph, Bytes signature, unsigned side, const char *key) {
  Bytes info, name;
  char operation[256];
  if (!find_entry(signature, side, key, &info) || !find_field(info, NAME, &name))
    fail("the signature %s has no tensor named %s", SIGNATURE, key);
  size_t length = (size_t)(name.end - name.at);
  if (length >= sizeof operation) fail("a name of the graph is too long");
  memcpy(operation, name.at, length);
  operation[length] = 0;
  char *colon = strrchr(operation, ':');
  int index = colon ? atoi(colon + 1) : 0;
  if (colon) *colon = 0;
  TF_Output output = {TF_GraphOperationByName(graph, operation), index};
  if (!output.oper) fail("the graph has no operation named %s", operation);
  return output;
}

static void *read_file(const char *path, size_t size) {
  FILE *file = fopen(path, "rb");
  if (!file) fail("%s: %s", path, strerror(errno));
  char *content = malloc(size + 1);
  if (!content) fail("%s: not enough memory", path);
  /* One byte more than there should be, to notice a file that is longer. */
  size_t got = fread(content, 1, size + 1, file);
  fclose(file);
  if (got != size) fail("%s: must have %zu bytes", path, size);
  return content;
}

static void write_file(const char *path, const void *content, size_t size) {
  FILE *file = fopen(path, "wb");
  if (!file) fail("%s: %s", path, strerror(errno));
  int whole = fwrite(content, 1, size, file) == size;
  if (fclose(file) || !whole) fail("%s: cannot be written", path);
}

static int64_t side(const char *text) {
  char *end;
  long long value = strtoll(text, &end, 10);
  if (*end || end == text || value < 1 || value > 1 << 24)
    fail("a side must be a whole number from 1 to %d; got %s", 1 << 24, text);
  return value;
}

int main(int count, char **arguments) {
  if (count != 8) fail("DIRECTORY HEIGHT WIDTH IMAGE OUT_HEIGHT OUT_WIDTH OUTPUT");
  const int64_t shape[] = {1, side(arguments[2]), side(arguments[3]), 3};
  const int32_t wanted[] = {(int32_t)side(arguments[5]), (int32_t)side(arguments[6])};
  const size_t bytes = (size_t)(shape[1] * shape[2] * 3) * sizeof(float);
  void *pixels = read_file(arguments[4], bytes);

  TF_Status *status = TF_NewStatus();
  TF_Graph *graph = TF_NewGraph();
  TF_Buffer *description = TF_NewBuffer();
  TF_SessionOptions *options = TF_NewSessionOptions();
  const char *tags[] = {"serve"};
  TF_Session *session = TF_LoadSessionFromSavedModel(options, NULL, arguments[1], tags, 1, graph,
                                                     description, status);
  check(status, arguments[1]);

  const uint8_t *start = description->data;
  Bytes signature;
  if (!find_entry((Bytes){start, start + description->length}, SIGNATURES, SIGNATURE, &signature))
    fail("%s: has no signature %s", arguments[1], SIGNATURE);
  const TF_Output inputs[] = {tensor_of(graph, signature, INPUTS, "image"),
                              tensor_of(graph, signature, INPUTS, "size")};
  const TF_Output output = tensor_of(graph, signature, OUTPUTS, "output");

  const int64_t two = 2;
  TF_Tensor *image = TF_AllocateTensor(TF_FLOAT, shape, 4, bytes);
  TF_Tensor *size = TF_AllocateTensor(TF_INT32, &two, 1, sizeof wanted);
  memcpy(TF_TensorData(image), pixels, bytes);
  memcpy(TF_TensorData(size), wanted, sizeof wanted);
  TF_Tensor *const values[] = {image, size};
  TF_Tensor *upscaled = NULL;
  TF_SessionRun(session, NULL, inputs, values, 2, &output, &upscaled, 1, NULL, 0, NULL, status);
  check(status, SIGNATURE);
  write_file(arguments[7], TF_TensorData(upscaled), TF_TensorByteSize(upscaled));
  printf("%s: %" PRId64 "x%" PRId64 "\n", arguments[7], TF_Dim(upscaled, 2), TF_Dim(upscaled, 1));

  TF_DeleteTensor(image);
  TF_DeleteTensor(size);
  TF_DeleteTensor(upscaled);
  TF_CloseSession(session, status);
  TF_DeleteSession(session, status);
  TF_DeleteSessionOptions(options);
  TF_DeleteBuffer(description);
  TF_DeleteGraph(graph);
  TF_DeleteStatus(status);
  free(pixels);
  return 0;
}
