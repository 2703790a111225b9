// What a program does with dockerode: streams over hijacked connections above all.
const Docker = require('dockerode')
const { PassThrough } = require('stream')

const docker = new Docker({ socketPath: process.argv[2] })

function collect (stream) {
  return new Promise((resolve, reject) => {
    const parts = []
    stream.on('data', part => parts.push(part))
    stream.on('end', () => resolve(Buffer.concat(parts).toString()))
    stream.on('error', reject)
  })
}

async function main () {
  const container = await docker.createContainer({
    Image: 'busybox', Cmd: ['cat'], name: 'ode', OpenStdin: true, StdinOnce: true, Labels: { a: 'b' }
  })
  const stream = await container.attach({ stream: true, stdin: true, stdout: true, stderr: true, hijack: true })
  const output = new PassThrough()
  container.modem.demuxStream(stream, output, output)
  const echoed = collect(output)
  stream.on('end', () => output.end())
  await container.start()
  stream.write('through the hijacked stream\n')
  stream.end()
  console.log('attach:', (await echoed).trim())
  console.log('wait:', (await container.wait()).StatusCode)
  await container.remove()

  const running = await docker.createContainer({ Image: 'busybox', Cmd: ['sleep', '1000'], name: 'ode2' })
  await running.start()
  const exec = await running.exec({ Cmd: ['sh', '-c', 'echo out; echo err >&2; exit 5'], AttachStdout: true, AttachStderr: true })
  const execStream = await exec.start({ hijack: true })
  const [out, err] = [new PassThrough(), new PassThrough()]
  docker.modem.demuxStream(execStream, out, err)
  execStream.on('end', () => { out.end(); err.end() })
  console.log('exec:', (await Promise.all([collect(out), collect(err)])).map(text => text.trim()).join(' '))
  console.log('code:', (await exec.inspect()).ExitCode)
  const stats = await running.stats({ stream: false })
  console.log('stats:', stats.memory_stats.usage > 0)
  const listed = await docker.listContainers({ filters: { name: ['ode2'] } })
  console.log('listed:', listed.map(item => item.Names[0]).join())
  await running.remove({ force: true })

  const [result] = await docker.run('busybox', ['sh', '-c', 'exit 4'], new PassThrough(), { HostConfig: { AutoRemove: true } })
  console.log('run:', result.StatusCode)
  await docker.createVolume({ Name: 'ode-data' })
  console.log('volume:', (await docker.getVolume('ode-data').inspect()).Driver)
  await docker.getVolume('ode-data').remove()
  try {
    await docker.getContainer('nosuch').inspect()
  } catch (error) {
    console.log('error:', error.statusCode, error.reason)
  }
}

main().catch(error => { console.error(error); process.exit(1) })
