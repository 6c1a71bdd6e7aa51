// SPDX-License-Identifier: Apache-2.0

using Microsoft.AspNetCore.Http;

namespace OverlayBd.Testing.Registries;

public sealed partial class FaultyRegistry
{
    private async Task ServeBlobAsync(HttpContext context, RecordedRequest request, string repository, string digest, Fault? fault)
    {
        if (!_owned.ContainsKey((repository, digest)))
        {
            context.Response.StatusCode = 404;
            await WriteErrorAsync(context, "BLOB_UNKNOWN", "blob unknown to registry");
            return;
        }

        byte[] content = _blobs[fault?.Kind == FaultKind.OtherBlob ? fault.Digest.ToString() : digest];
        context.Response.ContentType = "application/octet-stream";
        if (request.Method == "HEAD")
        {
            context.Response.ContentLength = fault?.Kind == FaultKind.WrongTotal ? fault.Count : content.Length;
            return;
        }

        (long first, long last) = (0, content.Length - 1);
        if (fault?.Kind != FaultKind.IgnoreRange && request.Range is string range)
        {
            string[] bounds = range["bytes=".Length..].Split('-');
            first = long.Parse(bounds[0]);
            last = bounds[1].Length == 0 ? last : Math.Min(last, long.Parse(bounds[1]));
            if (first > last)
            {
                context.Response.StatusCode = 416;
                return;
            }

            if (fault?.Kind == FaultKind.ShiftedBy)
            {
                (first, last) = (first + fault.Count, last + fault.Count);
            }

            context.Response.StatusCode = 206;
            if (fault?.Kind != FaultKind.NoContentRange)
            {
                long total = fault?.Kind == FaultKind.WrongTotal ? fault.Count : content.Length;
                context.Response.Headers.ContentRange = $"bytes {first}-{last}/{total}";
            }
        }

        byte[] body = content.AsSpan((int)first, (int)(last - first + 1)).ToArray();
        body = fault?.Kind switch
        {
            FaultKind.WrongBytes => Corrupt(body),
            FaultKind.ShorterBy => body[..^(int)fault.Count],
            _ => body,
        };
        await SendAsync(context, digest, body, fault);
    }

    private async Task SendAsync(HttpContext context, string digest, byte[] body, Fault? fault)
    {
        bool breaks = fault?.Kind is FaultKind.CloseAfter or FaultKind.StallAfter;
        context.Response.ContentLength = body.Length;
        int count = breaks ? (int)Math.Min(body.Length, fault!.Count) : body.Length;
        _bytesSent.AddOrUpdate(digest, count, (_, sent) => sent + count);
        if (count > 0)
        {
            await context.Response.Body.WriteAsync(body.AsMemory(0, count));
        }

        if (breaks)
        {
            await context.Response.Body.FlushAsync();
            if (fault!.Kind == FaultKind.StallAfter)
            {
                await HangAsync(context);
            }

            context.Abort();
        }
    }
}
