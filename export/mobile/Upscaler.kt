// Runs a .tflite file of tfsr on Android. Not compiled here.
//
//     implementation("com.google.ai.edge.litert:litert:1.4.2")
//
//     Upscaler(File(context.filesDir, "face.tflite")).use { upscaler ->
//         val large = upscaler.upscale(face, 256, 256)
//     }

package tfsr

import android.graphics.Bitmap
import java.io.Closeable
import java.io.File
import java.nio.ByteBuffer
import java.nio.ByteOrder
import org.tensorflow.lite.DataType
import org.tensorflow.lite.Interpreter

/**
 * An exported file with 8-bit pixels (`tfsr export tflite --io uint8`).
 *
 * One at a time: do not call it from two threads.
 */
class Upscaler(file: File, threads: Int = 4) : Closeable {
    private val interpreter = Interpreter(file, Interpreter.Options().setNumThreads(threads))

    /** Output sizes, such as "256x256": width, then height. */
    val sizes: List<String> = interpreter.signatureKeys.toList()

    /** The image at width x height. It must have the file's own size; alpha is dropped. */
    fun upscale(image: Bitmap, width: Int, height: Int): Bitmap {
        val size = "${width}x$height"
        require(size in sizes) { "the file has the output sizes $sizes; received $size" }
        val input = interpreter.getInputTensorFromSignature("image", size)
        require(input.dataType() == DataType.UINT8) { "export the file with --io uint8" }
        val (_, lrHeight, lrWidth, _) = input.shape()
        require(image.width == lrWidth && image.height == lrHeight) {
            "the file takes ${lrWidth}x$lrHeight; this one is ${image.width}x${image.height}"
        }
        val output = buffer(width * height)
        val outputs = mutableMapOf<String, Any>("output" to output)
        interpreter.runSignature(mapOf<String, Any>("image" to rgb(image)), outputs, size)
        return bitmap(output, width, height)
    }

    override fun close() = interpreter.close()

    private fun buffer(pixels: Int): ByteBuffer =
        ByteBuffer.allocateDirect(3 * pixels).order(ByteOrder.nativeOrder())

    private fun rgb(image: Bitmap): ByteBuffer {
        val pixels = IntArray(image.width * image.height)
        image.getPixels(pixels, 0, image.width, 0, 0, image.width, image.height)
        val bytes = buffer(pixels.size)
        for (pixel in pixels) {
            bytes.put((pixel shr 16).toByte()).put((pixel shr 8).toByte()).put(pixel.toByte())
        }
        bytes.rewind()
        return bytes
    }

    private fun bitmap(bytes: ByteBuffer, width: Int, height: Int): Bitmap {
        bytes.rewind()
        val pixels = IntArray(width * height) {
            val red = bytes.get().toInt() and 255
            val green = bytes.get().toInt() and 255
            val blue = bytes.get().toInt() and 255
            (255 shl 24) or (red shl 16) or (green shl 8) or blue
        }
        return Bitmap.createBitmap(pixels, width, height, Bitmap.Config.ARGB_8888)
    }
}
