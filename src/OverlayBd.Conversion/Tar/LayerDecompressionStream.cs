// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;
using ZstdSharp;
using ZstdSharp.Unsafe;

namespace OverlayBd.Conversion.Tar;

/// <summary>A layer's tar archive, decoded while it is read.</summary>
internal sealed class LayerDecompressionStream(Stream compressed, string name) : ForwardReadStream
{
    // zstd's window is the decoder's memory; 128 MiB is what the command-line tool accepts too, and half of what a conversion may take.
    private const int MaximumZstdWindowLog = 27;

    private readonly CompressedInput _input = new(compressed);
    private Stream? _decoder;
    private string _format = "";
    private bool _ended;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_ended || buffer.IsEmpty)
        {
            return 0;
        }

        _decoder ??= Decoder((await _input.PeekMagicAsync(cancellationToken).ConfigureAwait(false)).Span);
        if (ReferenceEquals(_decoder, _input))
        {
            return await _input.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        }

        int read = await DecodeAsync(_decoder, buffer, cancellationToken).ConfigureAwait(false);
        if (read == 0)
        {
            _ended = true;
            await _input.DrainAsync(cancellationToken).ConfigureAwait(false);
        }

        return read;
    }

    public override async ValueTask DisposeAsync()
    {
        if (_decoder is not null)
        {
            await _decoder.DisposeAsync().ConfigureAwait(false);
        }

        await _input.DisposeAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _decoder?.Dispose();
            _input.Dispose();
        }

        base.Dispose(disposing);
    }

    private async ValueTask<int> DecodeAsync(Stream decoder, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            return await decoder.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        }
        catch (EndOfStreamException exception) when (!_input.HasFailed)
        {
            throw new EndOfStreamException($"'{name}': the {_format} stream is cut at compressed byte {_input.Offset}.", exception);
        }
        catch (ZstdException exception) when (exception.Code == ZSTD_ErrorCode.ZSTD_error_frameParameter_windowTooLarge)
        {
            throw new InvalidDataException(
                $"'{name}': its zstd stream needs a window of more than {1 << (MaximumZstdWindowLog - 20)} MiB of memory to be decoded; "
                + $"compress the layer with a window of that at the most (zstd --long={MaximumZstdWindowLog}).",
                exception);
        }
        catch (Exception exception) when (exception is InvalidDataException or ZstdException && !_input.HasFailed)
        {
            throw new InvalidDataException(
                $"'{name}': the {_format} stream is damaged at or before compressed byte {_input.Offset}: {exception.Message}", exception);
        }
    }

    private Stream Decoder(ReadOnlySpan<byte> magic)
    {
        if (magic.StartsWith((ReadOnlySpan<byte>)[0x1f, 0x8b, 0x08]))
        {
            _format = "gzip";
            return new GzipMembers(_input);
        }

        // A frame, or one of the skippable ones that seekable and parallel encoders begin with.
        uint word = magic.Length >= 4 ? BinaryPrimitives.ReadUInt32LittleEndian(magic) : 0;
        if (word == 0xfd2fb528 || (word & 0xfffffff0) == 0x184d2a50)
        {
            _format = "zstd";
            var zstd = new DecompressionStream(_input, checkEndOfStream: true, leaveOpen: true);
            zstd.SetParameter(ZSTD_dParameter.ZSTD_d_windowLogMax, MaximumZstdWindowLog);
            return zstd;
        }

        bool isXz = magic.StartsWith((ReadOnlySpan<byte>)[0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]);
        if (isXz || (magic.StartsWith("BZh"u8) && magic[4..].SequenceEqual("1AY&SY"u8)))
        {
            throw new InvalidDataException($"'{name}' is compressed with {(isXz ? "xz" : "bzip2")}; layers may use gzip or zstd.");
        }

        return _input;
    }
}
