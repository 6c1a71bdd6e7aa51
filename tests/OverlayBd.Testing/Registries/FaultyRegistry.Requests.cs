// SPDX-License-Identifier: Apache-2.0

using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;
using OverlayBd.Format.Oci;

namespace OverlayBd.Testing.Registries;

public sealed partial class FaultyRegistry
{
    private async Task HandleAsync(HttpContext context)
    {
        var recorded = new RecordedRequest(
            context.Request.Method,
            Uri.UnescapeDataString(context.Request.Path.ToUriComponent()),
            context.Request.QueryString.Value ?? "",
            context.Request.Headers.ToDictionary(
                header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase));
        _requests.Enqueue(recorded);
        Fault? fault = TakeFault(recorded);
        switch (fault?.Kind)
        {
            case FaultKind.Abort:
                context.Abort();
                return;
            case FaultKind.Hang:
                await HangAsync(context);
                return;
            case FaultKind.Status:
                await AnswerAsync(context, fault);
                return;
            case FaultKind.Redirect:
                context.Response.StatusCode = fault.StatusCode;
                context.Response.Headers.Location = fault.Text!.Replace("{path}", recorded.Path, StringComparison.Ordinal);
                return;
        }

        if (recorded.Path == "/token")
        {
            await AnswerTokenAsync(context);
        }
        else if (!IsAuthorized(recorded))
        {
            context.Response.StatusCode = 401;
            context.Response.Headers.WWWAuthenticate = Challenge(recorded);
            await WriteErrorAsync(context, "UNAUTHORIZED", "authentication required");
        }
        else
        {
            await ServeAsync(context, recorded, fault);
        }
    }

    private async Task ServeAsync(HttpContext context, RecordedRequest request, Fault? fault)
    {
        if (request.Path == "/v2/")
        {
            return;
        }

        if (BlobPattern().Match(request.Path) is { Success: true } blob)
        {
            await ServeBlobAsync(context, request, blob.Groups[1].Value, blob.Groups[2].Value, fault);
        }
        else if (ManifestPattern().Match(request.Path) is { Success: true } manifest)
        {
            await ServeManifestAsync(context, request, manifest.Groups[1].Value, manifest.Groups[2].Value, fault);
        }
        else if (UploadPattern().Match(request.Path) is { Success: true } upload)
        {
            await ServeUploadAsync(context, request, upload.Groups[1].Value, upload.Groups[2].Value);
        }
        else
        {
            context.Response.StatusCode = 404;
        }
    }

    private async Task ServeManifestAsync(HttpContext context, RecordedRequest request, string repository, string name, Fault? fault)
    {
        if (request.Method == "PUT")
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            Descriptor stored = AddManifest(
                repository, name.Contains(':', StringComparison.Ordinal) ? null : name, body.ToArray(), context.Request.ContentType ?? "");
            context.Response.StatusCode = 201;
            context.Response.Headers["Docker-Content-Digest"] =
                fault?.Kind == FaultKind.WrongBytes ? Digest.Sha256("other"u8).ToString() : stored.Digest.ToString();
            return;
        }

        if (!_manifests.TryGetValue((repository, name), out (byte[] Content, string MediaType) manifest))
        {
            context.Response.StatusCode = 404;
            await WriteErrorAsync(context, "MANIFEST_UNKNOWN", "manifest unknown");
            return;
        }

        byte[] content = fault?.Kind == FaultKind.WrongBytes ? Corrupt(manifest.Content) : manifest.Content;
        context.Response.ContentType = manifest.MediaType;
        context.Response.ContentLength = content.Length;
        context.Response.Headers["Docker-Content-Digest"] = Digest.Sha256(manifest.Content).ToString();
        if (request.Method != "HEAD")
        {
            await context.Response.Body.WriteAsync(content);
        }
    }

    private async Task ServeUploadAsync(HttpContext context, RecordedRequest request, string repository, string session)
    {
        IQueryCollection query = context.Request.Query;
        if (request.Method == "POST")
        {
            string mount = query["mount"].ToString();
            if (mount.Length > 0 && _options.AllowsMount && _owned.ContainsKey((query["from"].ToString(), mount)))
            {
                _owned[(repository, mount)] = true;
                context.Response.StatusCode = 201;
                context.Response.Headers.Location = $"/v2/{repository}/blobs/{mount}";
                return;
            }

            string id = Guid.NewGuid().ToString();
            _uploads[id] = new MemoryStream();
            context.Response.StatusCode = 202;
            // Relative, which the specification allows and clients forget.
            context.Response.Headers.Location = $"/v2/{repository}/blobs/uploads/{id}?_state=signed%2Bstate";
            return;
        }

        if (!_uploads.TryGetValue(session, out MemoryStream? upload))
        {
            context.Response.StatusCode = 404;
            await WriteErrorAsync(context, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry");
            return;
        }

        if (request.Headers.GetValueOrDefault("Content-Range") is string range
            && !range.StartsWith($"{upload.Length}-", StringComparison.Ordinal))
        {
            context.Response.StatusCode = 416;
            return;
        }

        await context.Request.Body.CopyToAsync(upload);
        if (request.Method == "PATCH")
        {
            context.Response.StatusCode = 202;
            context.Response.Headers.Location = $"/v2/{repository}/blobs/uploads/{session}";
            context.Response.Headers.Range = $"0-{upload.Length - 1}";
            return;
        }

        string digest = query["digest"].ToString();
        _uploads.TryRemove(session, out _);
        if (Digest.Sha256(upload.ToArray()).ToString() != digest)
        {
            context.Response.StatusCode = 400;
            await WriteErrorAsync(context, "DIGEST_INVALID", "provided digest did not match uploaded content");
            return;
        }

        AddBlob(repository, upload.ToArray());
        context.Response.StatusCode = 201;
        context.Response.Headers["Docker-Content-Digest"] = digest;
    }

    private async Task HangAsync(HttpContext context)
    {
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, _stopping.Token);
        var forever = new TaskCompletionSource();
        using (linked.Token.Register(forever.SetResult))
        {
            await forever.Task;
        }

        context.Abort();
    }

    private static async Task AnswerAsync(HttpContext context, Fault fault)
    {
        context.Response.StatusCode = fault.StatusCode;
        if (fault.RetryAfter is not null)
        {
            context.Response.Headers.RetryAfter = fault.RetryAfter;
        }

        await context.Response.WriteAsync(fault.Text ?? "");
    }

    private static Task WriteErrorAsync(HttpContext context, string code, string message)
    {
        context.Response.ContentType = "application/json";
        return context.Request.Method == "HEAD"
            ? Task.CompletedTask
            : context.Response.WriteAsync($$"""{"errors":[{"code":"{{code}}","message":"{{message}}"}]}""");
    }

    private static byte[] Corrupt(byte[] content)
    {
        byte[] copy = [.. content];
        for (int i = 0; i < copy.Length; i++)
        {
            copy[i] ^= 0x20;
        }

        return copy;
    }

    [GeneratedRegex("^/v2/(.+)/blobs/(sha(?:256|512):[0-9a-f]+)$")]
    private static partial Regex BlobPattern();

    [GeneratedRegex("^/v2/(.+)/manifests/([^/]+)$")]
    private static partial Regex ManifestPattern();

    [GeneratedRegex("^/v2/(.+)/blobs/uploads/([^/]*)$")]
    private static partial Regex UploadPattern();
}
