// SPDX-License-Identifier: Apache-2.0

using Google.Protobuf;
using Grpc.Core;
using OverlayBd.Cli.Containerd.Api.ContentV1;
using OverlayBd.Format.Oci;

namespace OverlayBd.Cli.Containerd;

/// <summary>Writes one blob through the stream that containerd has for it: ask, write piece by piece, commit.</summary>
internal sealed class ContentWriter(ContainerdContent content, Descriptor blob)
{
    private const int ChunkSize = 1 << 20;

    // Somebody else may be fetching the same blob: the ref is his until he is done.
    private static readonly TimeSpan s_refWait = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan s_refPause = TimeSpan.FromMilliseconds(200);

    private readonly string _reference = Reference(blob);
    private readonly string _what = $"store the blob {blob.Digest}";

    /// <returns>Whether the blob was written; otherwise it was there already.</returns>
    /// <exception cref="ContainerdException">containerd refused the blob, or does not answer.</exception>
    public async Task<bool> WriteAsync(
        Func<CancellationToken, ValueTask<Stream>> open,
        IReadOnlyDictionary<string, string> labels,
        IProgress<long>? progress,
        CancellationToken cancellationToken)
    {
        long started = TimeProvider.System.GetTimestamp();
        for (; ; )
        {
            try
            {
                await WriteOnceAsync(open, labels, progress, cancellationToken);
                return true;
            }
            catch (RpcException e) when (e.StatusCode == StatusCode.AlreadyExists)
            {
                return false;
            }
            catch (RpcException e) when (IsRefHeld(e) && TimeProvider.System.GetElapsedTime(started) < s_refWait)
            {
                await Task.Delay(s_refPause, cancellationToken);
            }
            catch (RpcException e)
            {
                throw content.Connection.Failure(e, _what, cancellationToken);
            }
        }
    }

    private async Task WriteOnceAsync(
        Func<CancellationToken, ValueTask<Stream>> open,
        IReadOnlyDictionary<string, string> labels,
        IProgress<long>? progress,
        CancellationToken cancellationToken)
    {
        bool holdsRef = false;
        try
        {
            using AsyncDuplexStreamingCall<WriteContentRequest, WriteContentResponse> call =
                content.Client.Write(content.Connection.Options(cancellationToken));
            WriteContentResponse status = await AskAsync(call, Request(WriteAction.Stat), cancellationToken);
            holdsRef = true;

            // The whole blob may be there already: in another namespace, or left by a writer that was killed before its commit.
            if (status.Offset != blob.Size)
            {
                await SendAsync(call, open, progress, cancellationToken);
            }

            WriteContentRequest commit = Request(WriteAction.Commit);
            commit.Offset = blob.Size;
            commit.Labels.Add(ContainerdContent.Copy(labels));
            await AskAsync(call, commit, cancellationToken);
            holdsRef = false;
            await call.RequestStream.CompleteAsync();
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.AlreadyExists)
        {
            holdsRef = false;
            throw;
        }
        finally
        {
            if (holdsRef)
            {
                await AbortAsync();
            }
        }
    }

    private async Task SendAsync(
        AsyncDuplexStreamingCall<WriteContentRequest, WriteContentResponse> call,
        Func<CancellationToken, ValueTask<Stream>> open,
        IProgress<long>? progress,
        CancellationToken cancellationToken)
    {
        await using Stream stream = await open(cancellationToken);
        byte[] chunk = new byte[(int)Math.Min(ChunkSize, Math.Max(blob.Size, 1))];
        long offset = 0;
        int read;

        // The read that finds the end is the one that checks the digest.
        while ((read = await stream.ReadAtLeastAsync(chunk, chunk.Length, throwOnEndOfStream: false, cancellationToken)) > 0)
        {
            WriteContentRequest request = Request(WriteAction.Write);
            request.Offset = offset;
            request.Data = UnsafeByteOperations.UnsafeWrap(chunk.AsMemory(0, read));
            WriteContentResponse response = await AskAsync(call, request, cancellationToken);
            offset += read;
            if (response.Offset != offset)
            {
                throw new ContainerdException(
                    $"containerd did not {_what}: it stands at byte {response.Offset} instead of {offset}.", StatusCode.DataLoss);
            }

            progress?.Report(offset);
        }
    }

    private static async Task<WriteContentResponse> AskAsync(
        AsyncDuplexStreamingCall<WriteContentRequest, WriteContentResponse> call,
        WriteContentRequest request,
        CancellationToken cancellationToken)
    {
        try
        {
            await call.RequestStream.WriteAsync(request, cancellationToken);
        }
        catch (Exception e) when (e is InvalidOperationException or RpcException && !cancellationToken.IsCancellationRequested)
        {
            // The call has ended; why, is what reading the answer tells.
        }

        return await call.ResponseStream.MoveNext(cancellationToken)
            ? call.ResponseStream.Current
            : throw new RpcException(new Status(StatusCode.Aborted, "the stream ended without an answer"));
    }

    private WriteContentRequest Request(WriteAction action) => new()
    {
        Action = action,
        Ref = _reference,
        Total = blob.Size,
        Expected = blob.Digest.ToString(),
    };

    /// <summary>Removes what was written, once containerd has seen that the writer is gone.</summary>
    private async Task AbortAsync()
    {
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(10));
        while (!limit.IsCancellationRequested)
        {
            try
            {
                await content.Connection.CallAsync(
                    "abort a write", options => content.Client.AbortAsync(new() { Ref = _reference }, options), limit.Token);
                return;
            }
            catch (ContainerdException e) when (e.Status is StatusCode.Unavailable or StatusCode.FailedPrecondition)
            {
                await Task.Delay(s_refPause, CancellationToken.None);
            }
            catch (Exception e) when (e is ContainerdException or OperationCanceledException)
            {
                return; // the lease's end or containerd's own clean-up takes it
            }
        }
    }

    private static bool IsRefHeld(RpcException error) =>
        error.StatusCode == StatusCode.Unavailable && error.Status.Detail.Contains("locked", StringComparison.Ordinal);

    /// <summary>The name of the write as containerd's own clients form it, so that two of them do not fetch the same blob.</summary>
    private static string Reference(Descriptor blob) => blob.MediaType switch
    {
        string type when MediaTypes.IsManifest(type) => "manifest-" + blob.Digest,
        string type when MediaTypes.IsIndex(type) => "index-" + blob.Digest,
        MediaTypes.OciConfig or MediaTypes.DockerConfig => "config-" + blob.Digest,
        _ => "layer-" + blob.Digest,
    };
}
