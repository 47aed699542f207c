// Runs a .tflite file of tfsr on iOS. Not compiled here.
//
//     pod 'TensorFlowLiteSwift'
//
//     let upscaler = try Upscaler(path: Bundle.main.path(forResource: "face", ofType: "tflite")!)
//     let large = try upscaler.upscale(face, width: 256, height: 256)

import CoreGraphics
import Foundation
import TensorFlowLite

enum UpscalerError: Error {
  case unknownSize(String, known: [String])
  case wrongImage(String)
}

/// An exported file with 8-bit pixels (`tfsr export tflite --io uint8`).
///
/// One at a time: do not call it from two threads.
final class Upscaler {
  private let interpreter: Interpreter

  init(path: String, threads: Int = 4) throws {
    var options = Interpreter.Options()
    options.threadCount = threads
    options.isXNNPackEnabled = true
    interpreter = try Interpreter(modelPath: path, options: options)
  }

  /// Output sizes, such as "256x256": width, then height.
  var sizes: [String] { interpreter.signatureKeys }

  /// The image at width x height. It must have the file's own size; alpha is dropped.
  func upscale(_ image: CGImage, width: Int, height: Int) throws -> CGImage {
    let size = "\(width)x\(height)"
    guard sizes.contains(size) else { throw UpscalerError.unknownSize(size, known: sizes) }
    let runner = try interpreter.signatureRunner(with: size)
    let input = try runner.input(named: "image")
    guard input.dataType == .uInt8 else {
      throw UpscalerError.wrongImage("export the file with --io uint8")
    }
    let (lrHeight, lrWidth) = (input.shape.dimensions[1], input.shape.dimensions[2])
    guard image.width == lrWidth, image.height == lrHeight else {
      throw UpscalerError.wrongImage(
        "the file takes \(lrWidth)x\(lrHeight); this one is \(image.width)x\(image.height)")
    }
    try runner.invoke(with: ["image": try rgb(image)])
    return try makeImage(try runner.output(named: "output").data, width: width, height: height)
  }

  /// Red, green and blue of every pixel, row by row.
  private func rgb(_ image: CGImage) throws -> Data {
    let context = try canvas(image.width, image.height)
    context.draw(image, in: CGRect(x: 0, y: 0, width: image.width, height: image.height))
    let pixels = context.data!.assumingMemoryBound(to: UInt8.self)
    var bytes = Data(capacity: 3 * image.width * image.height)
    for pixel in 0..<image.width * image.height {
      bytes.append(pixels + 4 * pixel, count: 3)
    }
    return bytes
  }

  private func makeImage(_ bytes: Data, width: Int, height: Int) throws -> CGImage {
    let context = try canvas(width, height)
    let pixels = context.data!.assumingMemoryBound(to: UInt8.self)
    for pixel in 0..<width * height {
      for channel in 0..<3 { pixels[4 * pixel + channel] = bytes[3 * pixel + channel] }
    }
    guard let output = context.makeImage() else {
      throw UpscalerError.wrongImage("no image of \(width)x\(height) can be made")
    }
    return output
  }

  /// Four bytes a pixel, the fourth without meaning, and rows without gaps.
  private func canvas(_ width: Int, _ height: Int) throws -> CGContext {
    let space = CGColorSpace(name: CGColorSpace.sRGB)!
    let context = CGContext(
      data: nil, width: width, height: height, bitsPerComponent: 8, bytesPerRow: 4 * width,
      space: space, bitmapInfo: CGImageAlphaInfo.noneSkipLast.rawValue)
    guard let context else {
      throw UpscalerError.wrongImage("no canvas of \(width)x\(height) can be made")
    }
    return context
  }
}
