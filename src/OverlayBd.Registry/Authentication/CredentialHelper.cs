// SPDX-License-Identifier: Apache-2.0

using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using System.Text.Json;

namespace OverlayBd.Registry.Authentication;

/// <summary>Runs <c>docker-credential-NAME get</c>, docker's protocol for programs that keep credentials.</summary>
internal sealed class CredentialHelper(TimeProvider time, TimeSpan limit)
{
    private const int MaxReplyLength = 64 * 1024;

    public static readonly TimeSpan DefaultLimit = TimeSpan.FromSeconds(30);

    public async ValueTask<RegistryCredential?> GetAsync(string name, string server, CancellationToken cancellationToken)
    {
        string program = $"docker-credential-{name}";
        if (name.Length > 100 || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.'))
        {
            throw Failure(Redaction.Clean(program, 120), "that is not the name of a program");
        }

        using var timer = new CancellationTokenSource(limit, time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancellationToken);
        using Process process = Start(program);
        try
        {
            Task<string> errors = ReadAsync(process.StandardError, linked.Token);
            Task<string> output = ReadAsync(process.StandardOutput, linked.Token);
            try
            {
                await process.StandardInput.WriteAsync(server.AsMemory(), linked.Token).ConfigureAwait(false);
                process.StandardInput.Close();
            }
            catch (IOException)
            {
                // A helper that does not read its input may still answer; its exit status tells.
            }

            string reply = await output.ConfigureAwait(false);
            string complaint = await errors.ConfigureAwait(false);
            await process.WaitForExitAsync(linked.Token).ConfigureAwait(false);
            if (process.ExitCode == 0)
            {
                return Read(program, reply);
            }

            // docker's helpers say so on standard output, and it is no failure.
            return reply.Contains("credentials not found", StringComparison.OrdinalIgnoreCase)
                ? null
                : throw Failure(program, $"it ended with status {process.ExitCode}: {Redaction.Clean(complaint.Trim(), 200)}");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw Failure(program, $"it did not answer within {limit.TotalSeconds:0} seconds");
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }
    }

    private static Process Start(string program)
    {
        var start = new ProcessStartInfo(program, ["get"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception error)
        {
            throw Failure(program, $"it cannot be started ({error.Message}). Install it, or take it out of the auth file");
        }
    }

    private static async Task<string> ReadAsync(StreamReader reader, CancellationToken cancellationToken)
    {
        var text = new StringBuilder();
        char[] buffer = new char[4096];
        int count;
        while ((count = await reader.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0)
        {
            if (text.Length < MaxReplyLength)
            {
                text.Append(buffer, 0, count);
            }
        }

        return text.ToString();
    }

    private static RegistryCredential? Read(string program, string reply)
    {
        try
        {
            CredentialHelperReply? parsed = JsonSerializer.Deserialize(reply, AuthenticationJsonContext.Default.CredentialHelperReply);
            if (string.IsNullOrEmpty(parsed?.Secret))
            {
                return null;
            }

            return parsed.Username == "<token>"
                ? RegistryCredential.FromIdentityToken(parsed.Secret)
                : new RegistryCredential(parsed.Username ?? "", parsed.Secret);
        }
        catch (JsonException)
        {
            throw Failure(program, "its answer is not JSON");
        }
    }

    private static RegistryException Failure(string program, string problem) =>
        new(RegistryError.Credentials, $"The credential helper {program} failed: {problem}.");
}
